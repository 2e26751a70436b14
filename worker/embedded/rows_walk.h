/* The rows of a set one by one, for loops where a call per row would cost as much as the work
 * on it.
 *     struct rows_walk walk = {.rows = &rows};
 *     while (embedded_rows_walk_next(&walk, &row)) ... */
#pragma once

#include "index/bitmap.h"

struct rows_walk {
    const struct bitmap *rows;
    uint64_t word_index; /* of the word after the one in `bits` */
    uint64_t bits;       /* rows of the word before, not yet given */
};

static inline bool
embedded_rows_walk_next(struct rows_walk *walk, uint64_t *row)
{
    while (walk->bits == 0) {
        if (walk->word_index == bitmap_word_count(walk->rows->row_count))
            return false;
        walk->bits = walk->rows->words[walk->word_index++];
    }
    *row = (walk->word_index - 1) * 64 + (uint64_t)__builtin_ctzll(walk->bits);
    walk->bits &= walk->bits - 1;
    return true;
}
