/* What tfidf's reader and writer share; the drawing is in tfidf.h. */
#pragma once

#include "index/tfidf.h"

#include <math.h>

#define TFIDF_KIND "tfidf"
#define TFIDF_VERSION 1

enum tfidf_section {
    TFIDF_WORDS = 1,
    TFIDF_OFFSETS,
    TFIDF_DOCUMENTS,
    TFIDF_PLACES,
    TFIDF_SLOTS,
    TFIDF_SEED,
    TFIDF_NORMS,
    TFIDF_POSTINGS,
};

static inline double
tfidf_idf(uint64_t row_count, uint32_t documents)
{
    return log((1.0 + (double)row_count) / (1.0 + documents)) + 1;
}
