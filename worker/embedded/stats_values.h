/* The selected values of a column and what is read off their order. */
#pragma once

#include "base/arena.h"
#include "index/columns.h"

#define STATS_QUANTILES_MAX 40

/* The order statistics use up the values: keys for sorting take their place, so they
 * come last. */
struct stats_values {
    const struct column *column;
    size_t n;         /* values: selected and not null */
    uint64_t nulls;   /* selected and null */
    int64_t *ints;    /* integral columns; NULL otherwise */
    double *reals;    /* real columns; negative zero has become zero */
    uint64_t *hashes; /* textual columns */
};

struct stats_values embedded_stats_values_gather(struct arena *a, const struct column *column,
                                                 const struct bitmap *rows);
uint64_t embedded_stats_values_distinct(struct arena *a, const struct stats_values *v);
/* n >= 1 */
void embedded_stats_values_int_range(const struct stats_values *v, int64_t *min, int64_t *max);
void embedded_stats_values_real_range(const struct stats_values *v, double *min, double *max);

/* Percentile `percents[i]` as NumPy's method "linear": at position (n - 1) * percent / 100 of
 * the sorted values, between neighbours a and b by a + (b - a) * t, from b down where t >= 1/2.
 * Long double, so that int64 stays exact on x86 and a difference of reals cannot overflow.  n
 * >= 1. */
void embedded_stats_values_percentiles(struct arena *a, struct stats_values *v,
                                       const double *percents, size_t count, long double *out);
/* Median of dates and datetimes: between two values, rounded down.  n >= 1. */
int64_t embedded_stats_values_median_floor(struct arena *a, struct stats_values *v);
