#include "query/stats_moments.h"

#include <math.h>

double
stats_mean(const struct stats_moments *m)
{
    return m->mean * m->unit;
}

double
stats_variance(const struct stats_moments *m, unsigned ddof)
{
    if (m->n <= ddof)
        return NAN;
    double deviation = stats_std_dev(m, ddof);
    bool is_plain = deviation > 0x1p-500 && deviation < 0x1p+500;
    double corrected = m->m2 * ((double)m->n / (double)(m->n - ddof));
    /* The square of an extreme scale overflows or vanishes alone even where the product does
     * not. */
    return is_plain ? corrected * (m->scale * m->unit) * (m->scale * m->unit)
                    : deviation * deviation;
}

double
stats_std_dev(const struct stats_moments *m, unsigned ddof)
{
    if (m->n <= ddof)
        return NAN;
    return sqrt(m->m2 * ((double)m->n / (double)(m->n - ddof))) * m->scale * m->unit;
}

/* SciPy's test, on the roots and in units so that nothing overflows or vanishes. */
static bool
has_no_spread(const struct stats_moments *m)
{
    return sqrt(m->m2) * m->scale <= 1e-15 * fabs(m->mean);
}

double
stats_skewness(const struct stats_moments *m, bool is_unbiased)
{
    if (has_no_spread(m) || (is_unbiased && m->n < 3))
        return NAN;
    double n = (double)m->n, biased = m->m3 / (m->m2 * sqrt(m->m2));
    return is_unbiased ? sqrt((n - 1) * n) / (n - 2) * biased : biased;
}

double
stats_kurtosis(const struct stats_moments *m, bool is_unbiased)
{
    if (has_no_spread(m) || (is_unbiased && m->n < 4))
        return NAN;
    double n = (double)m->n, ratio = m->m4 / (m->m2 * m->m2);
    if (!is_unbiased)
        return ratio - 3;
    return ((n * n - 1) * ratio - 3 * (n - 1) * (n - 1)) / ((n - 2) * (n - 3));
}
