/* How like two texts are by the trigrams of three bytes that they have in common, both folded:
 * for what was typed with an error.
 *
 * Each run of letters, digits and bytes beyond ASCII gets two blanks before it and one behind,
 * and is cut into its trigrams of three bytes.  The similarity of a query to a text is the
 * number of distinct trigrams in common, divided by that of the trigrams in either (those of
 * the text counted as often as they stand). */
#pragma once

#include "base/arena.h"
#include "query/titles.h"

/* Below these nobody would call them alike: of a whole title, and of a stretch of it. */
#define TITLES_PIECES_MIN 0.2
#define TITLES_STRETCH_MIN 0.4
/* What is longer is no title: its stretches are not looked at. */
#define TITLES_STRETCH_BYTES_MAX 1000

/* A word has one more than bytes, and a byte at least parts it from the next; folding makes
 * three bytes of two at most. */
#define TITLES_TRIGRAMS_MAX (3 * TITLES_QUERY_BYTES_MAX / 2 + 1)
#define TITLES_SLOT_BITS 11

struct titles_trigrams {
    uint32_t trigrams[TITLES_TRIGRAMS_MAX]; /* distinct; the first byte is the highest */
    size_t count;
    size_t word_count;
    uint16_t slots[1 << TITLES_SLOT_BITS]; /* index + 1 by hash, 0 free */
};
/* Of a query of at most TITLES_QUERY_BYTES_MAX, in the arena. */
struct titles_trigrams *titles_trigrams_of(struct arena *a, struct str query);

/* The greater of the similarity to the title and of that to any stretch of it of as many words
 * as the query has, each where it is at least its minimum above; else 0. */
double titles_trigrams_score(const struct titles_trigrams *query, struct str title);
