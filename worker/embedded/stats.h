/* What the statistics of a column are read from. */
#pragma once

#include "embedded/stats_values.h"
#include "embedded/version.h"
#include "query/stats_answer.h"

/* Of the rows of a version.  What every row together gives is kept with the version, unless
 * percentiles other than the quartiles are asked for: some hundred bytes per column and worker,
 * from the first question on. */
void embedded_stats_answer(const struct embedded_version *version, size_t index,
                           const struct bitmap *rows, const struct stats_request *request,
                           struct stats_answer *out);
/* The same of any column, kept nowhere. */
void embedded_stats_of(const struct column *column, const struct bitmap *rows,
                       const struct stats_request *request, struct stats_answer *out);
/* Fills what the aggregates `asked` (bits that the column's type has) are read from; but for
 * `distinct`, which the caller fills where it is asked for.  Uses the values up. */
void embedded_stats_fill(struct arena *a, struct stats_answer *answer, struct stats_values *v,
                         uint32_t asked);
