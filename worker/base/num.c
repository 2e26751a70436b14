#include "base/num.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool
num_parse_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    if (s.n == 0)
        return false;
    *out = v;
    return true;
}

bool
num_parse_i64(struct str s, int64_t *out)
{
    bool is_negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_skip(s, 1);
    uint64_t magnitude;
    if (!num_parse_u64(s, &magnitude) || magnitude > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* What the grammar read: the digits without the dot, as many as fit, and the power of ten. */
struct decimal {
    uint64_t digits;
    int exponent;
    bool is_negative;
    bool is_exact; /* all digits fit */
};

static bool
scan_exponent(struct str s, int *out)
{
    bool is_negative = s.n && s.p[0] == '-';
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        s = str_skip(s, 1);
    /* An exponent is capped: far beyond that of any double, and small enough to add to. */
    int v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (!is_digit(s.p[i]))
            return false;
        v = MIN(v * 10 + (s.p[i] - '0'), 100000000);
    }
    *out = is_negative ? -v : v;
    return s.n > 0;
}

static bool
scan_decimal(struct str s, struct decimal *out)
{
    struct decimal d = {.is_exact = true};
    size_t i = 0, digit_count = 0;
    bool has_dot = false;
    if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
        d.is_negative = s.p[i++] == '-';
    for (; i < s.n; i++) {
        if (s.p[i] == '.' && !has_dot) {
            has_dot = true;
            continue;
        }
        if (!is_digit(s.p[i]))
            break;
        digit_count++;
        d.exponent -= has_dot;
        d.is_exact = d.is_exact && d.digits < UINT64_C(100000000000000000);
        if (d.is_exact)
            d.digits = d.digits * 10 + (uint64_t)(s.p[i] - '0');
    }
    if (digit_count == 0)
        return false;
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        int exponent;
        if (!scan_exponent(str_skip(s, i + 1), &exponent))
            return false;
        d.exponent += exponent;
        i = s.n;
    }
    *out = d;
    return i == s.n;
}

/* v * 10^power + digit. */
static bool
shift_digits(uint64_t *v, int power, uint64_t digit)
{
    for (; power > 0 && *v != 0; power--)
        if (__builtin_mul_overflow(*v, 10, v))
            return false;
    return !__builtin_add_overflow(*v, digit, v);
}

bool
num_parse_whole(struct str s, int64_t *out)
{
    struct decimal d;
    if (!scan_decimal(s, &d))
        return false;
    /* Reads the digits again, since scan_decimal keeps only 17 of them.  Trailing zeros are
     * held back, because a negative exponent may cancel them: 12300.00e-2 is 123. */
    uint64_t magnitude = 0;
    int zeros = 0;
    for (size_t i = 0; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '0')
            zeros++;
        if (s.p[i] < '1' || s.p[i] > '9')
            continue;
        if (!shift_digits(&magnitude, zeros + 1, (uint64_t)(s.p[i] - '0')))
            return false;
        zeros = 0;
    }
    int power = d.exponent + zeros;
    bool is_whole = magnitude == 0 || (power >= 0 && shift_digits(&magnitude, power, 0));
    if (!is_whole || magnitude > (uint64_t)INT64_MAX + d.is_negative)
        return false;
    *out = d.is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* strtod is correctly rounded in glibc; the "C" locale is never changed by this program. */
static bool
parse_slowly(struct str s, double *out)
{
    char small[128];
    char *text = s.n < sizeof(small) ? small : mem_alloc(s.n + 1);
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    double v = strtod(text, NULL);
    if (text != small)
        free(text);
    if (!isfinite(v))
        return false;
    *out = v;
    return true;
}

bool
num_parse_f64(struct str s, double *out)
{
    static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct decimal d;
    if (!scan_decimal(s, &d))
        return false;
    /* Both factors are exact doubles here, so one operation rounds once (Clinger 1990). */
    bool is_fast =
        d.is_exact && d.digits <= UINT64_C(1) << 53 && d.exponent >= -22 && d.exponent <= 22;
    if (!is_fast)
        return parse_slowly(s, out);
    double v = (double)d.digits;
    v = d.exponent < 0 ? v / POWERS[-d.exponent] : v * POWERS[d.exponent];
    *out = d.is_negative ? -v : v;
    return true;
}

void
num_add_i64(struct buf *out, int64_t v)
{
    char text[20];
    size_t at = sizeof(text);
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        text[--at] = (char)('0' + magnitude % 10);
    while (magnitude /= 10);
    if (v < 0)
        buf_add_char(out, '-');
    buf_add(out, (struct str){text + at, sizeof(text) - at});
}

/* The fast path for a price or a percentage: a decimal of at most 15 digits, at most 9 of them
 * after the dot, written out in full.  m and 10^k are exact doubles, so m / 10^k == v means
 * that the text reads back as v.  Only one text of at most 15 digits does, so it is the one
 * that the general loop would print, fifteen times slower. */
static bool
add_short_decimal(struct buf *out, double v)
{
    double magnitude = fabs(v), power = 1;
    if (magnitude < 1e-4 || magnitude >= 1e9)
        return false;
    for (int k = 1; k <= 9; k++) {
        power *= 10;
        if (magnitude * power >= 1e15)
            return false;
        /* Halves are rounded up, which is good enough: m is tested below. */
        uint64_t m = (uint64_t)(magnitude * power + 0.5);
        if ((double)m / power != magnitude)
            continue;
        uint64_t whole = m / (uint64_t)power, fraction = m % (uint64_t)power;
        if (v < 0)
            buf_add_char(out, '-');
        num_add_i64(out, (int64_t)whole);
        char text[16] = {'.'};
        for (int i = k; i > 0; i--, fraction /= 10)
            text[i] = (char)('0' + fraction % 10);
        buf_add(out, (struct str){text, (size_t)k + 1});
        return true;
    }
    return false;
}

void
num_add_f64(struct buf *out, double v)
{
    assert(isfinite(v));
    if (v == trunc(v) && fabs(v) <= 9007199254740992.0) {
        if (v == 0 && signbit(v))
            buf_add_char(out, '-');
        num_add_i64(out, (int64_t)v);
        return;
    }
    if (add_short_decimal(out, v))
        return;
    /* A normal double keeps 15 digits, and %g drops trailing zeros, so no shorter precision has
     * to be tried; a subnormal one may have a single digit. */
    char text[32];
    for (int digits = fabs(v) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    buf_add(out, str_from(text));
}
