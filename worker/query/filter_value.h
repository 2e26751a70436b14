/* How the value of a filter reads: as the span of column values that it names.  A day given for
 * a datetime column names all its milliseconds, so every operator follows from the two ends:
 *
 *        lt |  lo ... hi  | gt          exact: inside          lte: up to hi, gte: from lo
 *
 * A number between two integers is the empty span lo = hi + 1, and the same rules give the
 * right bounds.  Ends are wider than int64 so that a bound beyond it needs no special case. */
#pragma once

#include "base/err.h"
#include "base/value.h"

__extension__ typedef __int128 filter_wide;

struct filter_span {
    filter_wide lo, hi;
};
/* integer: a whole or decimal number (digits are read exactly; with an exponent, as a double);
 * boolean: true false yes no 1 0 in any case; date: YYYY-MM-DD; datetime: RFC 3339 or a day.
 * Blanks around are ignored.  False when it does not read. */
bool filter_read_span(enum column_type type, struct str value, struct filter_span *out);
/* isnull and notnull: also "" is true. */
bool filter_read_flag(struct str value, bool *out);
/* What a value of the type looks like, for messages: "an integer". */
const char *filter_value_rule(enum column_type type);
