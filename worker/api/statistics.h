/* Statistics of columns, in the one form that both the resource and the short form answer. */
#pragma once

#include "api/selection.h"

/* The question as it came; `columns` are names separated by commas, or "all" for the measures,
 * the rest as in stats_parse. */
struct statistics_text {
    struct str columns, aggregate, percentiles;
    unsigned ddof;
    bool is_unbiased;
};
struct statistics_question {
    const size_t *columns;
    size_t column_count;
    struct stats_request stats;
};
MUST_CHECK bool statistics_parse(struct arena *a, const struct schema *schema,
                                 const struct statistics_text *text,
                                 struct statistics_question *out, struct err *err);
/* Appends {"price": {"mean": ...}, ...}. */
MUST_CHECK bool statistics_add(struct json *j, struct selection *s,
                               const struct statistics_question *question, struct err *err);
