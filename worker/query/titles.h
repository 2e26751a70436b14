/* Rows by a title as somebody typed it, against the title column, both folded.
 *
 * First come the titles that hold the words as typed (titles_words.h), then those that hold all
 * but the last and a word that begins with it, then those that are only like the text
 * (titles_trigrams.h), at 0.1 + similarity / 2.  Equal scores are told apart by edit distance, then
 * by row order, so the answer is always the same. */
#pragma once

#include "embedded/version.h"

#define TITLES_QUERY_BYTES_MAX 200
#define TITLES_SCORE_MIN 0.2

struct title_match {
    uint64_t row; /* from 0 */
    double score; /* TITLES_SCORE_MIN to 1 */
};

/* The `limit` best of the rows of `among` (NULL: of all), best first.  Errors: bad_parameter
 * for a text that is empty or too long, and with code no_title for a dataset without a title
 * column; busy with code deadline (0: there is none). */
MUST_CHECK bool titles_search(struct arena *a, const struct version *version, struct str text,
                              const struct bitmap *among, uint64_t limit, uint64_t deadline_us,
                              struct title_match **out, size_t *out_count, struct err *err);
/* The row a title means: the first of exactly that title, else the first that differs only in
 * case (both of score 1), else the best of titles_search.  Fails with not_found. */
MUST_CHECK bool titles_resolve(struct arena *a, const struct version *version, struct str text,
                               uint64_t deadline_us, struct title_match *out, struct err *err);
