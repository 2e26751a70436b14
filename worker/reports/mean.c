/* Numbers are arrays of MEAN_LIMBS limbs of 64 bits, least significant first. */
#include "reports/mean.h"

#include <string.h>

#define LIMB_BITS 64
#define DECIMALS 10
#define TEN_TO_DECIMALS UINT64_C(10000000000)
/* Digits of a quotient: 63 bits of integer part, and the decimals. */
#define DIGITS_MAX 40

__extension__ typedef unsigned __int128 wide;

/* ---- long numbers ---- */

static void
multiply(uint64_t *x, uint64_t by)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < MEAN_LIMBS; i++) {
        wide product = (wide)x[i] * by + carry;
        x[i] = (uint64_t)product;
        carry = (uint64_t)(product >> LIMB_BITS);
    }
    assert(carry == 0);
}

static void
add(uint64_t *x, const uint64_t *y)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < MEAN_LIMBS; i++) {
        wide sum = (wide)x[i] + y[i] + carry;
        x[i] = (uint64_t)sum;
        carry = (uint64_t)(sum >> LIMB_BITS);
    }
    assert(carry == 0);
}

/* x >= y */
static void
subtract(uint64_t *x, const uint64_t *y)
{
    uint64_t borrow = 0;
    for (size_t i = 0; i < MEAN_LIMBS; i++) {
        wide difference = (wide)x[i] - y[i] - borrow;
        x[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> LIMB_BITS) & 1;
    }
    assert(borrow == 0);
}

static int
compare(const uint64_t *x, const uint64_t *y)
{
    for (size_t i = MEAN_LIMBS; i-- > 0;)
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    return 0;
}

static bool
is_zero(const uint64_t *x)
{
    for (size_t i = 0; i < MEAN_LIMBS; i++)
        if (x[i])
            return false;
    return true;
}

/* Divides in place; returns the remainder. */
static uint64_t
divide_small(uint64_t *x, uint64_t by)
{
    wide rest = 0;
    for (size_t i = MEAN_LIMBS; i-- > 0;) {
        wide part = rest << LIMB_BITS | x[i];
        x[i] = (uint64_t)(part / by);
        rest = part % by;
    }
    return (uint64_t)rest;
}

static size_t
bit_count(const uint64_t *x)
{
    for (size_t i = MEAN_LIMBS; i-- > 0;)
        if (x[i])
            return (i + 1) * LIMB_BITS - (size_t)__builtin_clzll(x[i]);
    return 0;
}

/* Long division, bit by bit: it runs once per line of a report.  x becomes the remainder. */
static void
divide(uint64_t *x, const uint64_t *by, uint64_t *quotient)
{
    uint64_t rest[MEAN_LIMBS] = {0};
    memset(quotient, 0, sizeof(rest));
    for (size_t bit = bit_count(x); bit-- > 0;) {
        add(rest, rest);
        rest[0] |= x[bit / LIMB_BITS] >> (bit % LIMB_BITS) & 1;
        if (compare(rest, by) < 0)
            continue;
        subtract(rest, by);
        quotient[bit / LIMB_BITS] |= UINT64_C(1) << (bit % LIMB_BITS);
    }
    memcpy(x, rest, sizeof(rest));
}

/* ---- the mean ---- */

void
mean_init(struct mean *mean)
{
    *mean = (struct mean){.denominator = {1}};
}

void
mean_add(struct mean *mean, int64_t numerator, int64_t denominator)
{
    uint64_t term[MEAN_LIMBS];
    assert(numerator >= 0 && denominator > 0 && mean->count < MEAN_TERMS_MAX);
    memcpy(term, mean->denominator, sizeof(term));
    multiply(term, (uint64_t)numerator);
    multiply(mean->numerator, (uint64_t)denominator);
    add(mean->numerator, term);
    multiply(mean->denominator, (uint64_t)denominator);
    mean->count++;
}

int
mean_compare(const struct mean *mean, int64_t numerator, int64_t denominator, unsigned percent)
{
    uint64_t left[MEAN_LIMBS], right[MEAN_LIMBS];
    assert(numerator >= 0 && denominator > 0 && percent <= 100 && mean->count);
    memcpy(left, mean->denominator, sizeof(left));
    multiply(left, (uint64_t)numerator);
    multiply(left, UINT64_C(100) * mean->count);
    memcpy(right, mean->numerator, sizeof(right));
    multiply(right, (uint64_t)denominator);
    multiply(right, percent);
    return compare(left, right);
}

static void
print_decimal(uint64_t *scaled, struct buf *out)
{
    char digits[DIGITS_MAX];
    size_t n = 0;
    while (n < DIGITS_MAX && (n <= DECIMALS || !is_zero(scaled)))
        digits[n++] = (char)('0' + divide_small(scaled, 10));
    size_t least = 0;
    while (least < DECIMALS && digits[least] == '0')
        least++;
    while (n > least) {
        if (n == DECIMALS)
            buf_add_char(out, '.');
        buf_add_char(out, digits[--n]);
    }
}

void
mean_print(const struct mean *mean, struct buf *out)
{
    uint64_t rest[MEAN_LIMBS], by[MEAN_LIMBS], quotient[MEAN_LIMBS];
    assert(mean->count);
    memcpy(rest, mean->numerator, sizeof(rest));
    multiply(rest, TEN_TO_DECIMALS);
    memcpy(by, mean->denominator, sizeof(by));
    multiply(by, mean->count);
    divide(rest, by, quotient);
    add(rest, rest);
    int half = compare(rest, by);
    static const uint64_t ONE[MEAN_LIMBS] = {1};
    if (half > 0 || (half == 0 && quotient[0] & 1))
        add(quotient, ONE);
    print_decimal(quotient, out);
}
