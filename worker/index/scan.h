/* The scan kernels: a predicate over one column into a bitmap.  Each has a portable form and,
 * where the CPU has AVX2, a vector form chosen once per process; both give the same bits
 * (PLAYMETER_PORTABLE=1 in the environment forces the portable one). */
#pragma once

#include "base/match.h"
#include "index/columns.h"

/* Rows with lo <= value <= hi that are not null, added to `out`. */
void scan_int_range(const struct column *c, int64_t lo, int64_t hi, struct bitmap *out);
/* The same for reals; either bound may be left out by -INFINITY / INFINITY, and `*_open` makes
 * it strict. */
void scan_real_range(const struct column *c, double lo, bool lo_open, double hi, bool hi_open,
                     struct bitmap *out);
/* Rows that are null, added. */
void scan_nulls(const struct column *c, struct bitmap *out);
/* Rows whose folded text contains / starts with / ends with / is the folded needle.  An empty
 * needle is contained in every row. */
void scan_text(const struct column *c, enum match match, struct str folded_needle,
               struct bitmap *out);
/* The same, looking at the rows of `candidates` only. */
void scan_text_rows(const struct column *c, enum match match, struct str folded_needle,
                    const struct bitmap *candidates, struct bitmap *out);
/* Rows of a text column ordered before the needle / after it: folded bytes, memcmp order. */
void scan_text_order(const struct column *c, enum match_order order, struct str folded_needle,
                     struct bitmap *out);
/* Triples, three bytes in a row, in eight groups that each know which bytes may stand at which
 * place: bit g of low[i][b & 15] & high[i][b >> 4] says that byte b may be at place i of one in
 * group g.  So a group finds all of its triples, and the more unlike they are the more else. */
#define SCAN_TRIPLE_GROUPS 8
struct scan_triples {
    uint8_t low[3][16], high[3][16];
    uint8_t may_be[3][256]; /* the same by byte, for where there are no vectors */
};
#define SCAN_ANY_BYTE (-1)
void scan_triples_add(struct scan_triples *t, unsigned group, const int bytes[3]);
/* Adds to `words` where in the text one may begin: bit i, for n places and up to the next
 * multiple of 64.  Reads SCAN_TRIPLES_AHEAD bytes beyond that. */
#define SCAN_TRIPLES_AHEAD 2
void scan_triples(const struct scan_triples *t, const uint8_t *text, size_t n, uint64_t *words);
/* Rows of a list column with any element that matches. */
void scan_list(const struct column *c, enum match match, struct str folded_needle,
               struct bitmap *out);
