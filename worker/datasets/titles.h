/* Rows by an approximate title: what the user typed against the title column, both folded.
 *
 * Likeness is that of trigrams: each word (a run of letters, digits and bytes beyond ASCII)
 * gets two blanks before it and one behind, and is cut into its pieces of three bytes; the
 * score is the number of distinct pieces in common, divided by that of the pieces in either
 * (those of the title counted as often as they stand).  Equal scores are told apart by edit
 * distance, then by row order, so the answer is always the same. */
#pragma once

#include "datasets/version.h"

#define TITLES_QUERY_BYTES_MAX 200
/* Below this nobody would call two titles alike. */
#define TITLES_SCORE_MIN 0.2

struct title_match {
    uint64_t row; /* from 0 */
    double score; /* TITLES_SCORE_MIN to 1 */
};

/* The `limit` best, best first.  Errors: bad_parameter for a text that is empty or too long,
 * and with code no_title for a dataset without a title column; busy with code deadline (0:
 * there is none). */
MUST_CHECK bool titles_search(struct arena *a, const struct version *version, struct str text,
                              uint64_t limit, uint64_t deadline_us, struct title_match **out,
                              size_t *out_count, struct err *err);
/* The row a title means: the first of exactly that title, else the first that differs only in
 * case (both of score 1), else the best of titles_search.  Fails with not_found. */
MUST_CHECK bool titles_resolve(struct arena *a, const struct version *version, struct str text,
                               uint64_t deadline_us, struct title_match *out, struct err *err);
