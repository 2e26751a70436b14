/* How the values of a column are spread: equal bins between the least and the greatest value
 * under a filter, by the definition of numpy.histogram.
 *
 * Edge i of n bins is low + i * ((high - low) / n), the last is high itself.  A bin holds its
 * lower edge and not its upper one; the last holds both.  Where all values are one, it lies in
 * the middle of bins one wide together.  Dates and datetimes are binned as milliseconds (a day
 * is its midnight, a single value lies in the middle of a day) and their edges are moments,
 * rounded down to the millisecond.  Nulls are counted apart; without values there are no bins.
 */
#pragma once

#include "query/stats_answer.h"

#define HISTOGRAM_BINS_MAX 1000

struct histogram {
    size_t bin_count;
    double *edges; /* bin_count + 1 */
    uint64_t *counts;
    uint64_t values, nulls;
    bool is_of_moments;
    struct stats_result min, max; /* of the values */
};

/* integer, real, date or datetime; else bad_parameter, with the columns that have one. */
MUST_CHECK bool histogram_check(const struct schema *schema, size_t column, struct err *err);
/* Of values from `low` to `high`, in milliseconds where they are moments; bin_count is set and
 * there is room for the edges. */
void histogram_set_edges(struct histogram *h, double low, double high);
struct stats_result histogram_edge(const struct histogram *h, size_t i);
