/* Sums and moments of arrays of numbers. */
#pragma once

#include "query/stats_moments.h"

__int128 embedded_stats_sum_ints(const int64_t *values, size_t n);
/* n >= 1; `min` and `max` are those of the values, `sum` is embedded_stats_sum_ints. */
struct stats_moments embedded_stats_moments_ints(const int64_t *values, size_t n, __int128 sum,
                                                 int64_t min, int64_t max);
struct stats_moments embedded_stats_moments_reals(const double *values, size_t n, double min,
                                                  double max);
