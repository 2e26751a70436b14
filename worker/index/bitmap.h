/* A set of rows: one bit per row, row 0 in the lowest bit of the first word.  Bits at and
 * beyond row_count are always zero. */
#pragma once

#include "base/arena.h"

struct bitmap {
    uint64_t *words;
    uint64_t row_count;
};

struct bitmap bitmap_new(struct arena *a, uint64_t row_count);      /* empty */
struct bitmap bitmap_new_full(struct arena *a, uint64_t row_count); /* every row */
size_t bitmap_word_count(uint64_t row_count);
uint64_t bitmap_count(const struct bitmap *b);
void bitmap_and(struct bitmap *b, const struct bitmap *other);
void bitmap_and_not(struct bitmap *b, const struct bitmap *other);
void bitmap_or(struct bitmap *b, const struct bitmap *other);
void bitmap_not(struct bitmap *b);
/* The first row at or after `from`, or row_count. */
uint64_t bitmap_next(const struct bitmap *b, uint64_t from);
/* The row that has `skip` rows of the set before it, or row_count. */
uint64_t bitmap_nth(const struct bitmap *b, uint64_t skip);

/* These are here because they stand in innermost loops, where the call would be most of it. */
static inline bool
bitmap_has(const struct bitmap *b, uint64_t row)
{
    return row < b->row_count && b->words[row / 64] >> row % 64 & 1;
}

static inline void
bitmap_set(struct bitmap *b, uint64_t row)
{
    assert(row < b->row_count);
    b->words[row / 64] |= UINT64_C(1) << row % 64;
}
