/* Numbers from text and back, independent of locale.  Parsers take the whole str or refuse. */
#pragma once

#include "base/buf.h"

/* [+-]?[0-9]+ within int64. */
bool num_parse_i64(struct str s, int64_t *out);
/* [0-9]+ within uint64. */
bool num_parse_u64(struct str s, uint64_t *out);
/* The grammar of num_parse_f64 with a whole value within int64: 10.0, 1e1 and 100e-1 are 10,
 * 10.5 is refused.  Exact: no double is involved. */
bool num_parse_whole(struct str s, int64_t *out);
/* JSON's number grammar plus a leading '+', leading zeros, a leading or trailing '.', rounded
 * to the nearest double.  No inf, nan, hex or blanks; a value that overflows is refused, one
 * that underflows becomes 0 with its sign. */
bool num_parse_f64(struct str s, double *out);

/* The shortest decimal that reads back as the same double (except for 46 powers of two, which
 * get 17 digits where 16 would do).  Integers up to 2^53 have neither exponent nor fraction
 * ("3", "-0" for negative zero); others as in "1e+300".  Valid JSON.  `v` must be finite. */
void num_add_f64(struct buf *out, double v);
void num_add_i64(struct buf *out, int64_t v);
