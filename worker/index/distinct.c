/* Open addressing, at most two thirds full, so that ten million different values take 134 MB.
 * 0 marks a free slot, so the number 0 is recorded separately. */
#include "index/distinct.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS ((size_t)4096)
#define KEPT_SLOTS ((size_t)1 << 18) /* 2 MiB: clearing more costs more than a new array */

void
distinct_init(struct distinct *d, uint64_t seed)
{
    *d = (struct distinct){
        .slots = mem_array(FIRST_SLOTS, uint64_t), .slot_count = FIRST_SLOTS, .seed = seed};
}

void
distinct_free(struct distinct *d)
{
    free(d->slots);
    *d = (struct distinct){0};
}

void
distinct_clear(struct distinct *d)
{
    uint64_t seed = d->seed;
    if (d->slot_count > KEPT_SLOTS) {
        distinct_free(d);
        distinct_init(d, seed);
        return;
    }
    memset(d->slots, 0, d->slot_count * sizeof(uint64_t));
    d->count = 0;
    d->has_zero = false;
}

/* The slot of `v`, or the free one where it belongs. */
static uint64_t *
find_slot(const struct distinct *d, uint64_t v)
{
    size_t at = hash_word(v, d->seed) & (d->slot_count - 1);
    while (d->slots[at] && d->slots[at] != v)
        at = (at + 1) & (d->slot_count - 1);
    return &d->slots[at];
}

static void
grow(struct distinct *d)
{
    uint64_t *old = d->slots;
    size_t old_count = d->slot_count;
    d->slot_count *= 2;
    d->slots = mem_array(d->slot_count, uint64_t);
    for (size_t i = 0; i < old_count; i++)
        if (old[i])
            *find_slot(d, old[i]) = old[i];
    free(old);
}

void
distinct_add(struct distinct *d, uint64_t v)
{
    if (v == 0) {
        d->has_zero = true;
        return;
    }
    uint64_t *slot = find_slot(d, v);
    if (*slot)
        return;
    *slot = v;
    if (++d->count > d->slot_count / 3 * 2)
        grow(d);
}

uint64_t
distinct_count(const struct distinct *d)
{
    return d->count + d->has_zero;
}
