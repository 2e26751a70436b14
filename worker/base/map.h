/* Texts to numbers, of which the most there will be is known beforehand: the columns of a table
 * by name.  Keys may come from strangers, so they are hashed with a random seed. */
#pragma once

#include "base/table.h"

struct map_entry {
    struct str key;
    size_t value;
};

struct map {
    struct table index;
    struct map_entry *entries;
    size_t count, count_max;
    uint64_t seed;
};

/* Keys stay the caller's, and have to outlive the map. */
void map_init(struct arena *a, struct map *map, size_t count_max);
/* The key's value, to be read and written, or NULL. */
size_t *map_get(const struct map *map, struct str key);
/* False, and nothing changes, where the key is there. */
bool map_put(struct map *map, struct str key, size_t value);
