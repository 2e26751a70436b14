/* How like two texts are by the trigrams of three bytes that they have in common, both folded:
 * for what was typed with an error.
 *
 * Each run of letters, digits and bytes beyond ASCII gets two blanks before it and one behind,
 * and is cut into its trigrams of three bytes.  The similarity of a query to a text is the number
 * of distinct trigrams in common, divided by that of the trigrams in either (those of the text
 * counted as often as they stand). */
#pragma once

#include "index/columns.h"

/* Below these nobody would call them alike: of a whole title, and of a stretch of it. */
#define TITLES_PIECES_MIN 0.2
#define TITLES_STRETCH_MIN 0.4
/* What is longer is no title: its stretches are not looked at. */
#define TITLES_STRETCH_BYTES_MAX 1000

struct titles_trigrams; /* of a query of at most TITLES_QUERY_BYTES_MAX, in the arena */
struct titles_trigrams *titles_trigrams_of(struct arena *a, struct str query);

/* The greater of the similarity to the title and of that to any stretch of it of as many words as
 * the query has, each where it is at least its minimum above; else 0. */
double titles_trigrams_score(const struct titles_trigrams *query, struct str title);

/* Which of the titles from row `from` on may have a titles_trigrams_score of at least
 * `score_min`: bit i is row from + i.  Many times as fast, and wrong in that direction alone.
 * Returns how many rows it looked at, 1 to 64. */
size_t titles_trigrams_sift(const struct titles_trigrams *query, const struct column *titles,
                            uint64_t from, double score_min, uint64_t *out);
