/* Money as exact decimals: millionths of a dollar in an int64, and ratios of them.  No binary
 * floating point. */
#pragma once

#include "base/buf.h"

#define MONEY_UNIT INT64_C(1000000)

/* Parses revenue and cost as files write them:
 *     money = [+-] digits [(. / ,) digits]
 * One separator, a dot or a comma.  A comma before exactly three digits may separate
 * thousands, so it is refused; so are two separators, blanks inside, exponents, and amounts
 * out of range.  Blanks around the amount are allowed.  Further decimals, which amounts
 * converted from another currency have, are rounded half-even to millionths. */
MUST_CHECK bool money_parse(struct str text, int64_t *millionths);
/* The sum.  Beyond the range (9.2 million million dollars) it stays at the limit, so that no
 * file can make a sum change its sign; notes_add_amount makes the reports warn of it. */
int64_t money_plus(int64_t a, int64_t b);
int64_t money_magnitude(int64_t v); /* the absolute value, within the same limit */
/* Writes "4.99", "-19.99", "0.000001", "10": without trailing zeros.  Valid JSON. */
void money_add(struct buf *out, int64_t millionths);
/* numerator / denominator, rounded half-even to 10 decimals, written without trailing zeros;
 * denominator > 0. */
void money_add_ratio(struct buf *out, int64_t numerator, int64_t denominator);
