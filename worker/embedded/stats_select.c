/* A radix selection from the top: count the keys by the eleven highest
 * bits in which they differ, and look again only into the buckets that hold a wanted rank. Each
 * key is read twice and mostly never again; six rounds end it whatever the data, where a
 * quickselect depends on its pivots. */
#include "embedded/stats_select.h"

#include <string.h>

#define RADIX_BITS 11
#define BUCKETS (1 << RADIX_BITS)
#define SORT_MAX 48 /* so few are sorted by insertion */

uint64_t
embedded_stats_key_from_real(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

double
embedded_stats_real_from_key(uint64_t key)
{
    uint64_t bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

static void
select_by_sorting(const uint64_t *keys, size_t n, const size_t *ranks, size_t rank_count,
                  size_t base, uint64_t *out)
{
    uint64_t sorted[SORT_MAX];
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > keys[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = keys[i];
    }
    for (size_t i = 0; i < rank_count; i++)
        out[i] = sorted[ranks[i] - base];
}

static uint64_t
differing_bits(const uint64_t *keys, size_t n)
{
    uint64_t differing = 0;
    for (size_t i = 1; i < n; i++)
        differing |= keys[i] ^ keys[0];
    return differing;
}

static uint64_t *
gather_bucket(struct arena *a, const uint64_t *keys, size_t n, unsigned shift, uint64_t bucket,
              size_t count)
{
    uint64_t *gathered = arena_array(a, count + 1, uint64_t);
    size_t filled = 0;
    for (size_t i = 0; i < n; i++) {
        gathered[filled] = keys[i]; /* without a branch; the last place takes the misses */
        filled += (keys[i] >> shift) % BUCKETS == bucket;
    }
    return gathered;
}

/* Two tables, taken in turn, because a run of equal keys would wait for its own last count. */
static uint32_t *
count_buckets(struct arena *a, const uint64_t *keys, size_t n, unsigned shift)
{
    uint32_t *counts = arena_array(a, 2 * BUCKETS, uint32_t), *odd = counts + BUCKETS;
    size_t i = 0;
    for (; i + 2 <= n; i += 2) {
        counts[(keys[i] >> shift) % BUCKETS]++;
        odd[(keys[i + 1] >> shift) % BUCKETS]++;
    }
    if (i < n)
        counts[(keys[i] >> shift) % BUCKETS]++;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++)
        counts[bucket] += odd[bucket];
    return counts;
}

/* `base` keys are known to come before all of these. */
static void
select_from(struct arena *a, const uint64_t *keys, size_t n, const size_t *ranks,
            size_t rank_count, size_t base, uint64_t *out)
{
    if (n <= SORT_MAX) {
        select_by_sorting(keys, n, ranks, rank_count, base, out);
        return;
    }
    uint64_t differing = differing_bits(keys, n);
    unsigned highest = differing ? 63 - (unsigned)__builtin_clzll(differing) : 0;
    unsigned shift = highest >= RADIX_BITS ? highest - RADIX_BITS + 1 : 0;
    const uint32_t *counts = count_buckets(a, keys, n, shift);
    size_t done = 0;
    for (uint64_t bucket = 0; done < rank_count; base += counts[bucket++]) {
        size_t here = done;
        while (here < rank_count && ranks[here] < base + counts[bucket])
            here++;
        if (here == done)
            continue;
        if (shift == 0)
            for (; done < here; done++)
                out[done] = keys[0] / BUCKETS * BUCKETS + bucket;
        else
            select_from(a, gather_bucket(a, keys, n, shift, bucket, counts[bucket]),
                        counts[bucket], ranks + done, here - done, base, out + done);
        done = here;
    }
}

void
embedded_stats_select(struct arena *a, const uint64_t *keys, size_t n, const size_t *ranks,
                      size_t rank_count, uint64_t *out)
{
    select_from(a, keys, n, ranks, rank_count, 0, out);
}
