/* The table of keys: open addressing with linear probing, at most half full. */
#include "import/work.h"

#include "base/hash.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MIN 1024

void
import_keys_init(struct import_keys *keys)
{
    *keys = (struct import_keys){0};
    random_bytes(&keys->seed, sizeof(keys->seed));
}

void
import_keys_free(struct import_keys *keys)
{
    free(keys->entries);
    *keys = (struct import_keys){0};
}

struct import_key
import_key_of(const struct import_keys *keys, enum column_type type, const struct value *value)
{
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
slot_of(const struct import_keys *keys, struct import_key key)
{
    size_t at = hash_u64(key.low ^ key.high, keys->seed) & (keys->cap - 1);
    for (;; at = (at + 1) & (keys->cap - 1)) {
        struct import_key_entry *entry = &keys->entries[at];
        if (entry->row == 0 || (entry->key.low == key.low && entry->key.high == key.high))
            return entry;
    }
}

static void
grow(struct import_keys *keys)
{
    struct import_keys bigger = *keys;
    bigger.cap = MAX(keys->cap * 2, CAP_MIN);
    bigger.entries = calloc(bigger.cap, sizeof(*bigger.entries));
    if (!bigger.entries)
        abort();
    for (size_t i = 0; i < keys->cap; i++)
        if (keys->entries[i].row)
            *slot_of(&bigger, keys->entries[i].key) = keys->entries[i];
    free(keys->entries);
    *keys = bigger;
}

struct import_key_entry *
import_keys_put(struct import_keys *keys, struct import_key key)
{
    if (keys->count * 2 >= keys->cap)
        grow(keys);
    struct import_key_entry *entry = slot_of(keys, key);
    keys->count += entry->row == 0;
    entry->key = key;
    return entry;
}

struct import_key_entry *
import_keys_get(const struct import_keys *keys, struct import_key key)
{
    if (keys->cap == 0)
        return NULL;
    struct import_key_entry *entry = slot_of(keys, key);
    return entry->row ? entry : NULL;
}
