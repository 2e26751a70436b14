/* A hash table from text to a number, for a number of keys whose maximum is known beforehand:
 * the columns of a table by name.  Keys may be chosen by strangers, so the seed is random. */
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

/* Keys are not copied: the caller keeps them alive as long as the map. */
void map_init(struct arena *a, struct map *map, size_t count_max);
/* The key's value, which may be read and written, or NULL. */
size_t *map_get(const struct map *map, struct str key);
/* Adds the key.  False, with nothing changed, when it is already there. */
bool map_put(struct map *map, struct str key, size_t value);
