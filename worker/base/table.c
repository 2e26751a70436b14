#include "base/table.h"

#include "base/mem.h"

#include <stdlib.h>

#define SLOTS_MIN 16

void
table_free(struct table *t)
{
    free(t->slots);
    *t = (struct table){0};
}

static void
put(struct table *t, uint64_t slot)
{
    size_t at = slot >> 32;
    while (t->slots[at & (t->slot_count - 1)])
        at++;
    t->slots[at & (t->slot_count - 1)] = slot;
}

static size_t
room(size_t slot_count)
{
    return slot_count / 4 * 3;
}

void
table_reserve(struct table *t, size_t count)
{
    size_t slot_count = MAX(t->slot_count, SLOTS_MIN);
    assert(count < UINT32_MAX);
    while (room(slot_count) < count)
        slot_count *= 2;
    if (slot_count == t->slot_count)
        return;
    uint64_t *before = t->slots;
    size_t before_count = t->slot_count;
    t->slots = t->arena ? arena_array(t->arena, slot_count, uint64_t)
                        : mem_array(slot_count, uint64_t);
    t->slot_count = slot_count;
    for (size_t i = 0; i < before_count; i++)
        if (before[i])
            put(t, before[i]);
    if (!t->arena)
        free(before);
}

void
table_add(struct table *t, uint64_t hash, uint32_t place)
{
    if (t->count == room(t->slot_count))
        table_reserve(t, t->count + 1);
    put(t, hash << 32 | (place + UINT64_C(1)));
    t->count++;
}
