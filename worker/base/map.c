/* Open addressing with linear probing, at most half full. */
#include "base/map.h"

#include "base/hash.h"
#include "base/random.h"

void
map_init(struct arena *a, struct map *map, size_t count_max)
{
    size_t slot_count = 2;
    while (slot_count < count_max * 2)
        slot_count *= 2;
    *map = (struct map){.slots = arena_array(a, slot_count, struct map_slot),
                        .slot_count = slot_count,
                        .count_max = count_max};
    random_bytes(&map->seed, sizeof(map->seed));
}

/* The key's slot, or the free one where it belongs. */
static struct map_slot *
find_slot(const struct map *map, struct str key)
{
    size_t at = hash_bytes(key, map->seed) & (map->slot_count - 1);
    while (map->slots[at].key.p && !str_eq(map->slots[at].key, key))
        at = (at + 1) & (map->slot_count - 1);
    return &map->slots[at];
}

size_t *
map_get(const struct map *map, struct str key)
{
    struct map_slot *slot = find_slot(map, key);
    return slot->key.p ? &slot->value : NULL;
}

bool
map_put(struct map *map, struct str key, size_t value)
{
    struct map_slot *slot = find_slot(map, key);
    if (slot->key.p)
        return false;
    assert(map->count < map->count_max);
    map->count++;
    *slot = (struct map_slot){key.p ? key : STR(""), value};
    return true;
}
