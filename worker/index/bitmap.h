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
/* In place.  Both sets have the same row_count. */
void bitmap_and(struct bitmap *b, const struct bitmap *other);
void bitmap_and_not(struct bitmap *b, const struct bitmap *other);
void bitmap_or(struct bitmap *b, const struct bitmap *other);
void bitmap_not(struct bitmap *b);
/* The first row of the set at or after `from`; row_count when there is none. */
uint64_t bitmap_next(const struct bitmap *b, uint64_t from);
/* The row that comes after `skip` rows of the set; row_count when there is none. */
uint64_t bitmap_nth(const struct bitmap *b, uint64_t skip);

/* Inline, because they are called in innermost loops, where a call would be most of the cost.
 */
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
