/* The exact mean of a few fractions.  A mean of daily ROAS decides whether a day is an anomaly,
 * and a day that is exactly at the limit must fall on the same side wherever it is computed; so
 * neither the ratios nor their sum are rounded before the comparison.
 *
 *     n1/d1 + ... + nk/dk  =  numerator / denominator,   mean = numerator / (denominator k)
 *
 * All terms together have at most MEAN_TERMS_MAX * 63 bits on either side, and a comparison
 * adds some 80: ten limbs hold every one of them. */
#pragma once

#include "base/buf.h"

#define MEAN_TERMS_MAX 8
#define MEAN_LIMBS 10

struct mean {
    uint64_t numerator[MEAN_LIMBS], denominator[MEAN_LIMBS]; /* least limb first */
    unsigned count;                                          /* terms */
};

void mean_init(struct mean *mean); /* no terms */
/* Adds a term; numerator >= 0, denominator > 0, at most MEAN_TERMS_MAX terms. */
void mean_add(struct mean *mean, int64_t numerator, int64_t denominator);
/* Is numerator / denominator less than (<0), equal to (0) or more than `percent` % of the mean?
 * At least one term; percent <= 100. */
int mean_compare(const struct mean *mean, int64_t numerator, int64_t denominator,
                 unsigned percent);
/* The mean, rounded half-even to 10 decimals, as money_add_ratio writes a ratio.  At least one
 * term. */
void mean_print(const struct mean *mean, struct buf *out);
