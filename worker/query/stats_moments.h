/* Sum, mean and central moments of numbers, accurate where the textbook formulas are not:
 * 1e9 plus noise, magnitudes whose squares overflow, sums beyond int64. */
#pragma once

#include "base/base.h"

/* Deviations are measured in `scale` * `unit`, powers of two, so that their fourth
 * powers neither overflow nor vanish; the product itself may overflow. */
struct stats_moments {
    uint64_t n;
    double sum;  /* rounded once; +-INFINITY beyond double */
    double mean; /* in units */
    double scale, unit;
    double m2, m3, m4; /* means of ((x - mean) / scale / unit) to the power */
};

double stats_mean(const struct stats_moments *m);
/* NumPy's var and std with `ddof`, SciPy's skew and kurtosis (Fisher), with bias=False when
 * `is_unbiased`.  NAN where the definition gives no value: n <= ddof; zero variance, where one
 * not above (1e-15 * mean)^2 counts as zero; unbiased with n < 3 (skewness) or n < 4
 * (kurtosis).  INFINITY beyond double. */
double stats_variance(const struct stats_moments *m, unsigned ddof);
double stats_std_dev(const struct stats_moments *m, unsigned ddof);
double stats_skewness(const struct stats_moments *m, bool is_unbiased);
double stats_kurtosis(const struct stats_moments *m, bool is_unbiased);
