/* Similarity: the rows nearest to a row by the cosine of their tf-idf vectors, with the
 * definitions of scikit-learn's TfidfVectorizer (stop_words="english", else its defaults), over
 * the columns marked `similar`. */
#pragma once

#include "query/ask.h"

#define SIMILAR_LIMIT_MAX 100
#define SIMILAR_TERMS_MAX 10

struct similar_match {
    uint64_t row;      /* from 0 */
    double score;      /* above 0, at most 1 */
    struct str *terms; /* words in common, those first that count most */
    size_t term_count;
};

/* Indexes of the columns marked so.  Errors: bad_parameter with code no_similar_columns. */
MUST_CHECK bool similar_columns(struct arena *a, const struct version *version, size_t **out,
                                size_t *out_count, struct err *err);

struct similar_term {
    uint32_t word; /* the engine's number of it */
    double weight;
};
/* The words that two rows have in common, by what they add to the score, of equal ones in the
 * order of their numbers; gives how many.  Terms ascend by word. */
size_t similar_share(const struct similar_term *x, size_t x_count, const struct similar_term *y,
                     size_t y_count, uint32_t out[SIMILAR_TERMS_MAX]);
