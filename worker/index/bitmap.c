/* Works on whole words; only creating and inverting must clear the bits beyond the last row. */
#include "index/bitmap.h"

size_t
bitmap_word_count(uint64_t row_count)
{
    return (size_t)(row_count / 64 + (row_count % 64 != 0));
}

static void
clear_beyond(struct bitmap *b)
{
    if (b->row_count % 64)
        b->words[b->row_count / 64] &= (UINT64_C(1) << b->row_count % 64) - 1;
}

struct bitmap
bitmap_new(struct arena *a, uint64_t row_count)
{
    return (struct bitmap){
        .words = arena_array(a, bitmap_word_count(row_count), uint64_t),
        .row_count = row_count,
    };
}

struct bitmap
bitmap_new_full(struct arena *a, uint64_t row_count)
{
    struct bitmap b = bitmap_new(a, row_count);
    bitmap_not(&b);
    return b;
}

uint64_t
bitmap_count(const struct bitmap *b)
{
    uint64_t count = 0;
    for (size_t i = 0; i < bitmap_word_count(b->row_count); i++)
        count += (uint64_t)__builtin_popcountll(b->words[i]);
    return count;
}

void
bitmap_and(struct bitmap *b, const struct bitmap *other)
{
    assert(b->row_count == other->row_count);
    for (size_t i = 0; i < bitmap_word_count(b->row_count); i++)
        b->words[i] &= other->words[i];
}

void
bitmap_and_not(struct bitmap *b, const struct bitmap *other)
{
    assert(b->row_count == other->row_count);
    for (size_t i = 0; i < bitmap_word_count(b->row_count); i++)
        b->words[i] &= ~other->words[i];
}

void
bitmap_or(struct bitmap *b, const struct bitmap *other)
{
    assert(b->row_count == other->row_count);
    for (size_t i = 0; i < bitmap_word_count(b->row_count); i++)
        b->words[i] |= other->words[i];
}

void
bitmap_not(struct bitmap *b)
{
    for (size_t i = 0; i < bitmap_word_count(b->row_count); i++)
        b->words[i] = ~b->words[i];
    clear_beyond(b);
}

uint64_t
bitmap_next(const struct bitmap *b, uint64_t from)
{
    if (from >= b->row_count)
        return b->row_count;
    size_t i = (size_t)(from / 64), n = bitmap_word_count(b->row_count);
    uint64_t word = b->words[i] & UINT64_MAX << from % 64;
    while (word == 0 && ++i < n)
        word = b->words[i];
    return word ? i * 64 + (uint64_t)__builtin_ctzll(word) : b->row_count;
}

uint64_t
bitmap_nth(const struct bitmap *b, uint64_t skip)
{
    for (size_t i = 0; i < bitmap_word_count(b->row_count); i++) {
        uint64_t word = b->words[i], here = (uint64_t)__builtin_popcountll(word);
        if (skip >= here) {
            skip -= here;
            continue;
        }
        for (; skip; skip--)
            word &= word - 1;
        return i * 64 + (uint64_t)__builtin_ctzll(word);
    }
    return b->row_count;
}
