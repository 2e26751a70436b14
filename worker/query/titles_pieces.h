/* How like two texts are by the pieces of three bytes that they have in common, both folded:
 * for what was typed with an error.
 *
 * Each run of letters, digits and bytes beyond ASCII gets two blanks before it and one behind,
 * and is cut into its pieces of three bytes.  The likeness of a query to a text is the number
 * of distinct pieces in common, divided by that of the pieces in either (those of the text
 * counted as often as they stand). */
#pragma once

#include "index/columns.h"

/* Below these nobody would call them alike: of a whole title, and of a stretch of it. */
#define TITLES_PIECES_MIN 0.2
#define TITLES_STRETCH_MIN 0.4
/* What is longer is no title: its stretches are not looked at. */
#define TITLES_STRETCH_BYTES_MAX 1000

struct titles_pieces; /* of a query of at most TITLES_QUERY_BYTES_MAX, in the arena */
struct titles_pieces *titles_pieces_of(struct arena *a, struct str query);

/* The greater of the likeness to the title and of that to any stretch of it of as many words as
 * the query has, each where it is at least its minimum above; else 0. */
double titles_pieces_score(const struct titles_pieces *query, struct str title);

/* Which of the titles from row `from` on may have a titles_pieces_score of at least
 * `score_min`: bit i is row from + i.  Many times as fast, and wrong in that direction alone.
 * Returns how many rows it looked at, 1 to 64. */
size_t titles_pieces_sift(const struct titles_pieces *query, const struct column *titles,
                          uint64_t from, double score_min, uint64_t *out);
