/* A title against the words that were typed, both folded.  A word is a run of letters, digits
 * and numerals of any script (utf8_is_word without the underscore), so "Portal™" holds
 * "portal". */
#pragma once

#include "base/str.h"

#define TITLES_WORDS_MAX 64 /* what a query has beyond that is left out */

struct titles_words {
    struct str words[TITLES_WORDS_MAX]; /* in the query */
    size_t count;
    size_t longest; /* index; of equally long ones the first */
    size_t bytes;   /* of all words */
};

/* The words of a query, which stays the caller's. */
void titles_words_init(struct titles_words *w, struct str query);

/* How well the title holds them, above TITLES_WORDS_MIN to 1, or 0 when it does not:
 *
 *   0.9 + 0.1 share   all of them, side by side in their order
 *   0.8 + 0.1 share   all of them, anywhere
 *   0.6 + 0.2 share   all but the last, which a word of the title begins with
 *
 * where `share` is the part of the bytes of the title's words that the query's words make up,
 * at most 1: of titles that hold the same, the one with the least beside it is the nearest. */
#define TITLES_WORDS_MIN 0.6
double titles_words_score(const struct titles_words *query, struct str title);
