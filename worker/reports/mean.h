/* The exact mean of a few fractions.  The mean of daily ROAS decides whether a day is an
 * anomaly, and a day exactly at the limit must be decided in the same way by every
 * implementation; so neither the ratios nor their sum are rounded before the comparison.
 *
 *     n1/d1 + ... + nk/dk  =  numerator / denominator,   mean = numerator / (denominator k)
 *
 * Numerator and denominator have at most MEAN_TERMS_MAX * 63 bits, and a comparison adds about
 * 80: all of it fits into MEAN_LIMBS limbs of 64 bits. */
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
/* Compares numerator / denominator with `percent` % of the mean: <0, 0, >0.  Needs at least one
 * term; percent <= 100. */
int mean_compare(const struct mean *mean, int64_t numerator, int64_t denominator,
                 unsigned percent);
/* Writes the mean rounded half-even to 10 decimals, in the form of money_add_ratio.  Needs at
 * least one term. */
void mean_print(const struct mean *mean, struct buf *out);
