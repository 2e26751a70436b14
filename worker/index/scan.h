/* The scan kernels: each evaluates a predicate over one column into a bitmap.  Each has a
 * portable form and, where the CPU has AVX2, a vector form, chosen once per process; both give
 * the same bits (PLAYMETER_PORTABLE=1 in the environment forces the portable one). */
#pragma once

#include "base/match.h"
#include "index/columns.h"

/* Adds to `out` the rows that are not null and have lo <= value <= hi. */
void scan_int_range(const struct column *c, int64_t lo, int64_t hi, struct bitmap *out);
/* The same for reals.  -INFINITY and INFINITY leave a bound out; `lo_open` and `hi_open` make
 * it strict. */
void scan_real_range(const struct column *c, double lo, bool lo_open, double hi, bool hi_open,
                     struct bitmap *out);
/* Adds the rows that are null. */
void scan_nulls(const struct column *c, struct bitmap *out);
/* Adds the rows whose folded text contains / starts with / ends with / equals the folded
 * needle.  An empty needle is contained in every row. */
void scan_text(const struct column *c, enum match match, struct str folded_needle,
               struct bitmap *out);
/* The same, but tests only the rows of `candidates`. */
void scan_text_rows(const struct column *c, enum match match, struct str folded_needle,
                    const struct bitmap *candidates, struct bitmap *out);
/* Adds the rows of a text column that sort before / after the needle: memcmp of folded bytes.
 */
void scan_text_order(const struct column *c, enum match_order order, struct str folded_needle,
                     struct bitmap *out);
/* A filter for sequences of three bytes ("triples"), in eight groups.  Bit g of low[i][b & 15]
 * & high[i][b >> 4] says that byte b may be at place i of a triple of group g.  A group finds
 * all of its triples, and also others: the more, the less alike its triples are. */
#define SCAN_TRIPLE_GROUPS 8
struct scan_triples {
    uint8_t low[3][16], high[3][16];
    uint8_t may_be[3][256]; /* the same bits indexed by the whole byte, for the portable form */
};
#define SCAN_ANY_BYTE (-1)
/* Adds a triple to a group; SCAN_ANY_BYTE in it matches every byte. */
void scan_triples_add(struct scan_triples *t, unsigned group, const int bytes[3]);
/* Sets in `words` bit i when a triple may begin at text[i], for i below n rounded up to a
 * multiple of 64.  Reads SCAN_TRIPLES_AHEAD bytes beyond that. */
#define SCAN_TRIPLES_AHEAD 2
void scan_triples(const struct scan_triples *t, const uint8_t *text, size_t n, uint64_t *words);
/* Adds the rows of a list column that have an element that matches. */
void scan_list(const struct column *c, enum match match, struct str folded_needle,
               struct bitmap *out);
