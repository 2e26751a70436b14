/* Two passes: the mean as an unevaluated pair of doubles (or, of
 * integers, as quotient and remainder), then powers of the deviations from that pair.  A
 * deviation is so good to the last bit even where the mean itself is not a double.  Sums run in
 * blocks, and the blocks are added with their rounding errors kept (Neumaier 1974), so the
 * error does not grow with n. */
#include "embedded/stats_moments.h"

#include <math.h>

#define BLOCK ((size_t)512)

/* A sum and the rounding errors made in it. */
struct exact {
    double high, low;
};

/* Knuth's TwoSum: the error of an addition is itself a double. */
static inline void
exact_add(struct exact *s, double v)
{
    double sum = s->high + v, virtual = sum - s->high;
    s->low += (s->high - (sum - virtual)) + (v - virtual);
    s->high = sum;
}

/* So that `high` alone is the best double. */
static struct exact
exact_settle(struct exact s)
{
    double high = s.high + s.low;
    return (struct exact){high, s.low - (high - s.high)};
}

/* s / n, with the remainder of the division carried into the low part. */
static struct exact
exact_divide(struct exact s, size_t n)
{
    double count = (double)n, high = s.high / count;
    double remainder = fma(-high, count, s.high) + s.low;
    return exact_settle((struct exact){high, remainder / count});
}

struct powers {
    struct exact second, third, fourth;
};

/* Two of each sum, because an addition waits for the one before it. */
static void
add_block(struct powers *p, double t[BLOCK + 1], size_t n)
{
    t[n] = 0; /* evens it out */
    double second[2] = {0}, third[2] = {0}, fourth[2] = {0};
    for (size_t i = 0; i < n; i += 2)
        for (size_t lane = 0; lane < 2; lane++) {
            double square = t[i + lane] * t[i + lane];
            second[lane] += square;
            third[lane] += square * t[i + lane];
            fourth[lane] += square * square;
        }
    exact_add(&p->second, second[0] + second[1]);
    exact_add(&p->third, third[0] + third[1]);
    exact_add(&p->fourth, fourth[0] + fourth[1]);
}

static void
set_powers(struct stats_moments *m, const struct powers *p)
{
    m->m2 = exact_divide(p->second, m->n).high;
    m->m3 = exact_divide(p->third, m->n).high;
    m->m4 = exact_divide(p->fourth, m->n).high;
}

/* The power of two at or above |v|, within what ldexp and its inverse can express. */
static double
power_above(double v)
{
    int exponent = 0;
    if (v != 0)
        frexp(v, &exponent);
    return ldexp(1, MAX(MIN(exponent, 1023), -1022));
}

__int128
embedded_stats_sum_ints(const int64_t *values, size_t n)
{
    __int128 sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum;
}

/* Rounded once.  long double is no help everywhere; two doubles hold 128 bits but for the last
 * few, which cannot matter to one double. */
static struct exact
exact_from_i128(__int128 v)
{
    double high = (double)v;
    return (struct exact){high, (double)(v - (__int128)high)};
}

struct stats_moments
embedded_stats_moments_ints(const int64_t *values, size_t n, __int128 sum, int64_t min,
                            int64_t max)
{
    int64_t middle = (int64_t)(sum / (__int128)n);
    double fraction = (double)(int64_t)(sum % (__int128)n) / (double)n;
    struct stats_moments m = {.n = n, .sum = (double)sum, .unit = 1};
    m.mean = exact_divide(exact_from_i128(sum), n).high;
    m.scale = power_above((double)max - (double)min);
    double per_scale = 1 / m.scale;
    struct powers p = {0};
    double t[BLOCK + 1];
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t here = MIN(n - at, BLOCK);
        /* A deviation needs 65 bits where the values span more than half of int64. */
        for (size_t i = 0; i < here; i++) {
            int64_t deviation;
            bool is_wide = __builtin_sub_overflow(values[at + i], middle, &deviation);
            double whole_part =
                is_wide ? (double)((__int128)values[at + i] - middle) : (double)deviation;
            t[i] = (whole_part - fraction) * per_scale;
        }
        add_block(&p, t, here);
    }
    set_powers(&m, &p);
    return m;
}

/* Values near the ends of double's range are brought to its middle first, by a power of two:
 * exact, but for those so small beside the largest that they cannot matter. */
static double
unit_of(double largest)
{
    bool is_extreme = largest > 0x1p+900 || (largest > 0 && largest < 0x1p-900);
    return is_extreme ? power_above(largest) : 1;
}

struct stats_moments
embedded_stats_moments_reals(const double *values, size_t n, double min, double max)
{
    double unit = unit_of(MAX(fabs(min), fabs(max)));
    double per_unit = 1 / unit;
    struct exact sum = {0};
    for (size_t i = 0; i < n; i++)
        exact_add(&sum, values[i] * per_unit);
    sum = exact_settle(sum);
    struct exact mean = exact_divide(sum, n);
    struct stats_moments m = {.n = n, .sum = sum.high * unit, .mean = mean.high, .unit = unit};
    double largest = MAX(fabs(max * per_unit - mean.high), fabs(min * per_unit - mean.high));
    /* Where no value is off the mean's high part, its low part is what they are off by. */
    m.scale = power_above(MAX(largest, fabs(mean.low)));
    double per_scale = 1 / m.scale;
    struct powers p = {0};
    double t[BLOCK + 1];
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t here = MIN(n - at, BLOCK);
        for (size_t i = 0; i < here; i++)
            t[i] = (values[at + i] * per_unit - mean.high - mean.low) * per_scale;
        add_block(&p, t, here);
    }
    set_powers(&m, &p);
    return m;
}
