/* Likeness: the rows nearest to a row by the cosine of their tf-idf vectors (index/tfidf.h),
 * over the columns marked `similar`. */
#pragma once

#include "embedded/version.h"

#define SIMILAR_LIMIT_MAX 100
#define SIMILAR_TERMS_MAX 10

struct similar_match {
    uint64_t row;      /* from 0 */
    double score;      /* above 0, at most 1 */
    struct str *terms; /* words in common, those first that count most */
    size_t term_count;
};

/* The `limit` best of `candidates` (NULL: all) but the row itself, best first, equal scores in
 * row order.  Rows without a word in common are none.  Errors: bad_parameter with code
 * no_similar_columns, busy with code index_damaged where the tf-idf file is not there or
 * damaged (`playmeter reindex` makes it again), or with code deadline (0: there is none). */
MUST_CHECK bool similar_find(struct arena *a, const struct version *version, uint64_t row,
                             const struct bitmap *candidates, uint64_t limit,
                             uint64_t deadline_us, struct similar_match **out,
                             size_t *out_count, struct err *err);
