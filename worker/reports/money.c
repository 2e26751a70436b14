#include "reports/money.h"

#define DECIMALS 6
#define RATIO_UNIT INT64_C(10000000000) /* ten decimals */

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t
count_digits(struct str s)
{
    size_t n = 0;
    while (n < s.n && is_digit(s.p[n]))
        n++;
    return n;
}

/* total * 10 + digit; negative amounts are kept negative, because int64 has one value more
 * there. */
static bool
push_digit(int64_t *total, char c, bool is_negative)
{
    int64_t digit = is_negative ? -(c - '0') : c - '0';
    return !__builtin_mul_overflow(*total, 10, total) &&
           !__builtin_add_overflow(*total, digit, total);
}

/* Do the digits after the last one kept round it up?  Halves round to even. */
static bool
rounds_up(struct str rest, bool is_last_odd)
{
    bool is_more = false;
    for (size_t i = 1; i < rest.n; i++)
        is_more = is_more || rest.p[i] != '0';
    return rest.n && (rest.p[0] > '5' || (rest.p[0] == '5' && (is_more || is_last_odd)));
}

/* The digits after the separator, rounded to six. */
static bool
push_decimals(int64_t *total, struct str decimals, bool is_negative)
{
    for (size_t i = 0; i < DECIMALS; i++)
        if (!push_digit(total, i < decimals.n ? decimals.p[i] : '0', is_negative))
            return false;
    if (!rounds_up(str_skip(decimals, DECIMALS), *total % 2 != 0))
        return true;
    return !__builtin_add_overflow(*total, is_negative ? -1 : 1, total);
}

bool
money_parse(struct str text, int64_t *millionths)
{
    text = str_trim(text);
    bool is_negative = text.n && text.p[0] == '-';
    if (is_negative || (text.n && text.p[0] == '+'))
        text = str_skip(text, 1);
    size_t whole = count_digits(text);
    struct str rest = str_skip(text, whole), decimals = str_skip(rest, 1);
    if (whole == 0)
        return false;
    if (rest.n) {
        bool is_comma = rest.p[0] == ',';
        if ((!is_comma && rest.p[0] != '.') || decimals.n == 0 ||
            count_digits(decimals) != decimals.n || (is_comma && decimals.n == 3))
            return false;
    }
    int64_t total = 0;
    for (size_t i = 0; i < whole; i++)
        if (!push_digit(&total, text.p[i], is_negative))
            return false;
    if (!push_decimals(&total, decimals, is_negative))
        return false;
    *millionths = total;
    return true;
}

int64_t
money_plus(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return b < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

int64_t
money_magnitude(int64_t v)
{
    return v >= 0 ? v : v == INT64_MIN ? INT64_MAX : -v;
}

/* Writes sign, whole part, and the fraction in units of 1 / `unit`, a power of ten, without
 * trailing zeros. */
static void
add_decimal(struct buf *out, bool is_negative, unsigned __int128 magnitude, int64_t unit)
{
    char whole[40];
    size_t at = sizeof(whole);
    unsigned __int128 left = magnitude / (uint64_t)unit;
    uint64_t fraction = (uint64_t)(magnitude % (uint64_t)unit);
    do
        whole[--at] = (char)('0' + (int)(left % 10));
    while (left /= 10);
    if (is_negative && magnitude)
        buf_add_char(out, '-');
    buf_add(out, (struct str){whole + at, sizeof(whole) - at});
    if (fraction)
        buf_add_char(out, '.');
    for (uint64_t digit = (uint64_t)unit / 10; fraction; digit /= 10) {
        buf_add_char(out, (char)('0' + fraction / digit));
        fraction %= digit;
    }
}

static uint64_t
magnitude_of(int64_t v)
{
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

void
money_add(struct buf *out, int64_t millionths)
{
    add_decimal(out, millionths < 0, magnitude_of(millionths), MONEY_UNIT);
}

/* The product is below 2^97 (2^63 * 10^10), so 128 bits hold it. */
void
money_add_ratio(struct buf *out, int64_t numerator, int64_t denominator)
{
    assert(denominator > 0);
    unsigned __int128 product = (unsigned __int128)magnitude_of(numerator) * RATIO_UNIT;
    unsigned __int128 quotient = product / (uint64_t)denominator;
    uint64_t rest = (uint64_t)(product % (uint64_t)denominator);
    uint64_t above = (uint64_t)denominator - rest; /* distance to the next quotient */
    if (rest > above || (rest == above && quotient % 2 == 1))
        quotient++;
    add_decimal(out, numerator < 0, quotient, RATIO_UNIT);
}
