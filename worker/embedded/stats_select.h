/* Order statistics without sorting all. */
#pragma once

#include "base/arena.h"

/* Numbers as keys whose unsigned order is theirs; negative zero sorts before zero. */
static inline uint64_t
embedded_stats_key_from_int(int64_t v)
{
    return (uint64_t)v ^ UINT64_C(1) << 63;
}

static inline int64_t
embedded_stats_int_from_key(uint64_t key)
{
    return (int64_t)(key ^ UINT64_C(1) << 63);
}

uint64_t embedded_stats_key_from_real(double v);
double embedded_stats_real_from_key(uint64_t key);

/* out[i] becomes the key that has ranks[i] keys before it in order.  Ranks ascend and are below
 * n; repeats are fine.  `keys` stay as they are; scratch comes from the arena. */
void embedded_stats_select(struct arena *a, const uint64_t *keys, size_t n, const size_t *ranks,
                           size_t rank_count, uint64_t *out);
