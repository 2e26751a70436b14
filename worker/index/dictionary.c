/* Linear probing at most half full; hashes are kept so that growing does not
 * read the bytes again. */
#include "index/dictionary.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_SLOTS 64 /* most lists have few elements, and a dataset may have 2,000 */

static void *
must_have(void *p)
{
    if (!p) {
        fputs("playmeter: out of memory\n", stderr);
        abort();
    }
    return p;
}

void
dictionary_init(struct dictionary *d, uint64_t seed)
{
    *d = (struct dictionary){.cap = FIRST_SLOTS / 2, .slot_count = FIRST_SLOTS, .seed = seed};
    buf_init(&d->bytes, SIZE_MAX / 2);
    d->offsets = must_have(calloc(d->cap + 1, sizeof(*d->offsets)));
    d->hashes = must_have(calloc(d->cap, sizeof(*d->hashes)));
    d->slots = must_have(calloc(d->slot_count, sizeof(*d->slots)));
}

void
dictionary_free(struct dictionary *d)
{
    buf_free(&d->bytes);
    free(d->offsets);
    free(d->hashes);
    free(d->slots);
    *d = (struct dictionary){0};
}

static void
grow(struct dictionary *d)
{
    assert(d->cap <= UINT32_MAX / 4);
    d->cap *= 2;
    d->slot_count *= 2;
    d->offsets = must_have(reallocarray(d->offsets, d->cap + 1, sizeof(*d->offsets)));
    d->hashes = must_have(reallocarray(d->hashes, d->cap, sizeof(*d->hashes)));
    free(d->slots);
    d->slots = must_have(calloc(d->slot_count, sizeof(*d->slots)));
    for (uint32_t id = 0; id < d->count; id++) {
        size_t slot = d->hashes[id] & (d->slot_count - 1);
        while (d->slots[slot])
            slot = (slot + 1) & (d->slot_count - 1);
        d->slots[slot] = id + 1;
    }
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
    size_t slot = hash & (d->slot_count - 1);
    for (; d->slots[slot]; slot = (slot + 1) & (d->slot_count - 1)) {
        uint32_t id = d->slots[slot] - 1;
        if (d->hashes[id] == hash && str_eq(dictionary_element(d, id), element))
            return id;
    }
    uint32_t id = d->count++;
    d->slots[slot] = id + 1;
    d->hashes[id] = hash;
    buf_add(&d->bytes, element);
    d->offsets[d->count] = d->bytes.n;
    if (d->count == d->cap)
        grow(d);
    return id;
}
