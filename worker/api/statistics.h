/* Statistics of columns, in the one form that both the resource and the short form answer. */
#pragma once

#include "api/selection.h"

struct statistics_question {
    struct str columns, aggregate, percentiles;
    unsigned ddof;
    bool is_unbiased;
};

/* Appends {"price": {"mean": ...}, ...} for the columns of `columns_text`: names separated by
 * commas, or "all" for the measures.  `aggregate` and `percentiles` as in stats_parse. */
MUST_CHECK bool statistics_add(struct arena *a, struct buf *out, const struct version *version,
                               const struct statistics_question *question,
                               const struct bitmap *rows, struct err *err);
