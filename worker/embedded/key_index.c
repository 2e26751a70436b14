/* Open addressing with linear probing: values are compared in the mapped
 * columns, so the table holds nothing but row numbers. */
#include "embedded/key_index.h"

#include "base/hash.h"

#include <string.h>

uint64_t
embedded_key_hash_int(int64_t v)
{
    return hash_u64((uint64_t)v, 0);
}

uint64_t
embedded_key_hash_real(double v)
{
    uint64_t bits;
    v += 0.0;
    memcpy(&bits, &v, sizeof(bits));
    return hash_u64(bits, 0);
}

uint64_t
embedded_key_hash_text(struct str folded)
{
    return hash_bytes(folded, 0);
}

static uint64_t
hash_row(const struct column *c, uint64_t row)
{
    if (column_type_is_textual(c->type))
        return embedded_key_hash_text(column_text(c, row));
    struct value v = column_number(c, row);
    return c->type == COLUMN_REAL ? embedded_key_hash_real(v.d) : embedded_key_hash_int(v.i);
}

void
embedded_key_index_build(struct key_index *index, const struct column *c)
{
    uint64_t slot_count = 16;
    assert(c->row_count < UINT32_MAX);
    while (slot_count < 2 * c->row_count)
        slot_count *= 2;
    index->slots = arena_array(&index->arena, slot_count, uint32_t);
    index->mask = slot_count - 1;
    for (uint64_t row = 0; row < c->row_count; row++) {
        uint64_t at = hash_row(c, row) & index->mask;
        while (index->slots[at])
            at = (at + 1) & index->mask;
        index->slots[at] = (uint32_t)(row + 1);
    }
}

void
embedded_key_index_free(struct key_index *index)
{
    arena_free(&index->arena);
    *index = (struct key_index){0};
}

bool
embedded_key_index_next(const struct key_index *index, uint64_t hash, uint64_t *at,
                        uint64_t *row)
{
    uint32_t slot = index->slots[(hash + (*at)++) & index->mask];
    if (slot == 0)
        return false;
    *row = slot - 1;
    return true;
}
