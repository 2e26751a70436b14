/* Money as exact decimals: millionths of a dollar in an int64, and ratios of them.  Nothing
 * here passes through a binary fraction. */
#pragma once

#include "base/buf.h"

#define MONEY_UNIT INT64_C(1000000)

/* Revenue and cost as files write them:
 *     money = [+-] digits [(. / ,) digits]
 * One separator, dot or comma; a comma before exactly three digits may mean thousands, so it is
 * refused, and so are two separators, blanks inside, exponents, and what does not fit.  Blanks
 * around are fine.  Further decimals, as amounts converted from another currency have them, are
 * rounded half-even to millionths. */
MUST_CHECK bool money_parse(struct str text, int64_t *millionths);
/* The sum; one beyond what fits (9.2 million million dollars) stays at that bound, so that no
 * file can make a sum change its sign; notes_add_amount sees to it that the reports say so. */
int64_t money_plus(int64_t a, int64_t b);
int64_t money_magnitude(int64_t v); /* without its sign, at that bound as well */
/* "4.99", "-19.99", "0.000001", "10": no more decimals than it has.  Valid JSON. */
void money_add(struct buf *out, int64_t millionths);
/* numerator / denominator, rounded half-even to 10 decimals, written without trailing zeros;
 * denominator > 0. */
void money_add_ratio(struct buf *out, int64_t numerator, int64_t denominator);
