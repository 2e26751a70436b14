#include "embedded/stats_values.h"

#include "base/random.h"
#include "embedded/stats_select.h"
#include "index/block.h"
#include "index/distinct.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Copies the cells of a block whose bits are set; whole words of rows at once where all are. */
static size_t
gather_block(const struct block *b, const uint64_t *rows, uint64_t *out)
{
    size_t n = 0, word_count = bitmap_word_count(b->count);
    for (size_t i = 0; i < word_count; i++) {
        uint64_t word = b->nulls ? rows[i] & ~b->nulls[i] : rows[i];
        const uint64_t *base = b->words + i * 64;
        if (word == UINT64_MAX) {
            memcpy(out + n, base, 64 * sizeof(uint64_t));
            n += 64;
            continue;
        }
        for (; word; word &= word - 1)
            out[n++] = base[__builtin_ctzll(word)];
    }
    return n;
}

struct stats_values
embedded_stats_values_gather(struct arena *a, const struct column *column,
                             const struct bitmap *rows)
{
    assert(rows->row_count == column->row_count);
    struct stats_values v = {.column = column};
    uint64_t selected = bitmap_count(rows);
    uint64_t *values = arena_array(a, selected, uint64_t);
    struct block_reader reader = block_reader_of(column, block_value_form(column));
    for (uint64_t row = 0; row < column->row_count; row += BLOCK_ROWS)
        v.n += gather_block(block_at(&reader, row), rows->words + row / 64, values + v.n);
    v.nulls = selected - v.n;
    if (reader.form == BLOCK_INTS)
        v.ints = (int64_t *)values;
    else if (reader.form == BLOCK_REALS)
        v.reals = (double *)values;
    else
        v.hashes = values;
    for (size_t i = 0; v.reals && i < v.n; i++)
        v.reals[i] += 0.0;
    return v;
}

/* Integers in a narrow range are marked in a bitmap, which stays in the cache. */
static uint64_t
distinct_ints_in(struct arena *a, const struct stats_values *v, int64_t min, uint64_t range)
{
    struct bitmap seen = bitmap_new(a, range + 1);
    for (size_t i = 0; i < v->n; i++) {
        uint64_t at = (uint64_t)v->ints[i] - (uint64_t)min;
        /* Counts are mostly small ones: writing a bit again would wait for the last write. */
        if (!bitmap_has(&seen, at))
            bitmap_set(&seen, at);
    }
    return bitmap_count(&seen);
}

uint64_t
embedded_stats_values_distinct(struct arena *a, const struct stats_values *v)
{
    if (v->n + v->nulls == v->column->row_count)
        return v->column->summary.distinct_count;
    if (v->n == 0)
        return 0;
    if (v->ints) {
        int64_t min, max;
        embedded_stats_values_int_range(v, &min, &max);
        uint64_t range = (uint64_t)max - (uint64_t)min;
        if (range < MAX(v->n, 64) * 64)
            return distinct_ints_in(a, v, min, range);
    }
    const uint64_t *bits = v->ints    ? (const uint64_t *)v->ints
                           : v->reals ? (const uint64_t *)v->reals
                                      : v->hashes;
    struct distinct set;
    uint64_t seed;
    random_bytes(&seed, sizeof(seed));
    distinct_init(&set, seed);
    for (size_t i = 0; i < v->n; i++)
        distinct_add(&set, bits[i]);
    uint64_t count = distinct_count(&set);
    distinct_free(&set);
    return count;
}

void
embedded_stats_values_int_range(const struct stats_values *v, int64_t *min, int64_t *max)
{
    /* Not through the pointers: they might point among the values, so each step would wait for
     * the memory. */
    int64_t lo = v->ints[0], hi = lo;
    for (size_t i = 1; i < v->n; i++) {
        lo = MIN(lo, v->ints[i]);
        hi = MAX(hi, v->ints[i]);
    }
    *min = lo;
    *max = hi;
}

void
embedded_stats_values_real_range(const struct stats_values *v, double *min, double *max)
{
    double lo = v->reals[0], hi = lo;
    for (size_t i = 1; i < v->n; i++) {
        lo = MIN(lo, v->reals[i]);
        hi = MAX(hi, v->reals[i]);
    }
    *min = lo;
    *max = hi;
}

/* In their own place: 8 bytes for 8 bytes. */
static uint64_t *
transform_into_keys(struct stats_values *v)
{
    uint64_t *keys = v->ints ? (uint64_t *)v->ints : (uint64_t *)v->reals;
    for (size_t i = 0; i < v->n; i++)
        keys[i] = v->ints ? embedded_stats_key_from_int(v->ints[i])
                          : embedded_stats_key_from_real(v->reals[i]);
    return keys;
}

static long double
value_of_key(const struct stats_values *v, uint64_t key)
{
    return v->ints ? (long double)embedded_stats_int_from_key(key)
                   : (long double)embedded_stats_real_from_key(key);
}

static int
compare_ranks(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static long double
value_at(const struct stats_values *v, const size_t *ranks, const uint64_t *keys, size_t rank)
{
    size_t i = 0;
    while (ranks[i] != rank)
        i++;
    return value_of_key(v, keys[i]);
}

void
embedded_stats_values_percentiles(struct arena *a, struct stats_values *v,
                                  const double *percents, size_t count, long double *out)
{
    assert(count <= STATS_QUANTILES_MAX && v->n > 0);
    size_t ranks[2 * STATS_QUANTILES_MAX];
    uint64_t found[2 * STATS_QUANTILES_MAX];
    double last = (double)(v->n - 1);
    for (size_t i = 0; i < count; i++) {
        size_t low = (size_t)(last * (percents[i] / 100));
        ranks[2 * i] = MIN(low, v->n - 1);
        ranks[2 * i + 1] = MIN(low + 1, v->n - 1);
    }
    qsort(ranks, 2 * count, sizeof(*ranks), compare_ranks);
    embedded_stats_select(a, transform_into_keys(v), v->n, ranks, 2 * count, found);
    for (size_t i = 0; i < count; i++) {
        double position = last * (percents[i] / 100), whole = floor(position);
        long double t = position - whole;
        size_t low = MIN((size_t)whole, v->n - 1);
        long double x = value_at(v, ranks, found, low);
        long double y = value_at(v, ranks, found, MIN(low + 1, v->n - 1));
        out[i] = t >= 0.5L ? y - (y - x) * (1 - t) : x + (y - x) * t;
    }
}

int64_t
embedded_stats_values_median_floor(struct arena *a, struct stats_values *v)
{
    size_t ranks[] = {(v->n - 1) / 2, v->n / 2};
    uint64_t found[2];
    embedded_stats_select(a, transform_into_keys(v), v->n, ranks, COUNT_OF(ranks), found);
    __int128 sum =
        (__int128)embedded_stats_int_from_key(found[0]) + embedded_stats_int_from_key(found[1]);
    return (int64_t)(sum >> 1);
}
