#include "index/dictionary.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

void
dictionary_init(struct dictionary *d, uint64_t seed)
{
    *d = (struct dictionary){.seed = seed};
    buf_init(&d->bytes, SIZE_MAX / 2);
    d->offsets = mem_grow(NULL, &d->offset_cap, 1, sizeof(*d->offsets));
    d->offsets[0] = 0;
    table_reserve(&d->index, 0);
}

void
dictionary_free(struct dictionary *d)
{
    buf_free(&d->bytes);
    free(d->offsets);
    table_free(&d->index);
    *d = (struct dictionary){0};
}

struct str
dictionary_element(const struct dictionary *d, uint32_t id)
{
    return str_slice(buf_str(&d->bytes), d->offsets[id], d->offsets[id + 1]);
}

uint32_t
dictionary_id(struct dictionary *d, struct str element)
{
    uint64_t hash = hash_bytes(element, d->seed);
    struct table_probe probe = table_probe(hash);
    while (table_next(&d->index, &probe))
        if (str_eq(dictionary_element(d, probe.place), element))
            return probe.place;
    uint32_t id = d->count++;
    table_add(&d->index, hash, id);
    buf_add(&d->bytes, element);
    d->offsets =
        mem_grow(d->offsets, &d->offset_cap, d->count + (size_t)1, sizeof(*d->offsets));
    d->offsets[d->count] = d->bytes.n;
    return id;
}
