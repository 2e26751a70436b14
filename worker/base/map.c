#include "base/map.h"

#include "base/hash.h"
#include "base/random.h"

void
map_init(struct arena *a, struct map *map, size_t count_max)
{
    *map = (struct map){.index.arena = a,
                        .entries = arena_array(a, count_max, struct map_entry),
                        .count_max = count_max};
    random_bytes(&map->seed, sizeof(map->seed));
}

size_t *
map_get(const struct map *map, struct str key)
{
    struct table_probe probe = table_probe(hash_bytes(key, map->seed));
    while (table_next(&map->index, &probe))
        if (str_eq(map->entries[probe.place].key, key))
            return &map->entries[probe.place].value;
    return NULL;
}

bool
map_put(struct map *map, struct str key, size_t value)
{
    if (map_get(map, key))
        return false;
    assert(map->count < map->count_max);
    table_add(&map->index, hash_bytes(key, map->seed), (uint32_t)map->count);
    map->entries[map->count++] = (struct map_entry){key, value};
    return true;
}
