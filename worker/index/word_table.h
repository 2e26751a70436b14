/* Words to numbers in the order of their first appearance, for the many words of long texts: a
 * word of up to 16 bytes stands in its slot, so that finding it touches one cache line and
 * calls nothing: 8, 30 and 200 ns with 50, 50,000 and 1,000,000 different words, where a
 * dictionary (dictionary.h) takes 29, 105 and 540.  What is written to a file is a
 * dictionary. */
#pragma once

#include "base/buf.h"

struct word_slot {
    /* The word's bytes, zero-padded; for a longer word, its hash and its length, marked by a
     * byte that is not part of any UTF-8. */
    uint64_t low, high;
    uint32_t next_number; /* the word's number + 1; 0: free */
};

struct word_table {
    struct word_slot *slots; /* a power of two */
    size_t slot_count;
    struct buf bytes;  /* of all words, end to end */
    uint64_t *offsets; /* count + 1 */
    uint32_t count;
    uint64_t seed; /* random: words come from users */
};

void word_table_init(struct word_table *t, uint64_t seed);
void word_table_free(struct word_table *t); /* accepts a zeroed struct */
/* The number of a word, which is UTF-8 without NUL; a new word gets the next number. */
uint32_t word_table_number(struct word_table *t, struct str word);
struct str word_table_word(const struct word_table *t, uint32_t number);
