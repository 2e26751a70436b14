/* The keys of the good rows: entries end to end, found by base/table. */
#include "import/work.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

void
import_keys_init(struct import_keys *keys)
{
    *keys = (struct import_keys){0};
    random_bytes(&keys->seed, sizeof(keys->seed));
}

void
import_keys_free(struct import_keys *keys)
{
    table_free(&keys->index);
    free(keys->entries);
    *keys = (struct import_keys){0};
}

struct import_key
import_key_of(const struct import_keys *keys, const struct schema *schema,
              const struct value *values)
{
    enum column_type type = schema->columns[schema->key_index].type;
    const struct value *value = &values[schema->key_index];
    if (column_type_is_textual(type))
        return (struct import_key){hash_bytes(value->text, keys->seed),
                                   hash_bytes(value->text, ~keys->seed)};
    if (type != COLUMN_REAL)
        return (struct import_key){(uint64_t)value->i, 0};
    double d = value->d == 0 ? 0 : value->d; /* -0 is 0 */
    struct import_key key = {0};
    memcpy(&key.low, &d, sizeof(d));
    return key;
}

static struct import_key_entry *
find(const struct import_keys *keys, struct import_key key, uint64_t hash)
{
    struct table_probe probe = table_probe(hash);
    while (table_next(&keys->index, &probe)) {
        struct import_key_entry *entry = &keys->entries[probe.place];
        if (entry->key.low == key.low && entry->key.high == key.high)
            return entry;
    }
    return NULL;
}

struct import_key_entry *
import_keys_put(struct import_keys *keys, struct import_key key)
{
    uint64_t hash = hash_u64(key.low ^ key.high, keys->seed);
    struct import_key_entry *entry = find(keys, key, hash);
    if (entry)
        return entry;
    keys->entries =
        mem_grow(keys->entries, &keys->cap, keys->count + 1, sizeof(*keys->entries));
    table_add(&keys->index, hash, (uint32_t)keys->count);
    entry = &keys->entries[keys->count++];
    *entry = (struct import_key_entry){.key = key};
    return entry;
}

struct import_key_entry *
import_keys_get(const struct import_keys *keys, struct import_key key)
{
    return find(keys, key, hash_u64(key.low ^ key.high, keys->seed));
}
