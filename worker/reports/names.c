/* Open addressing over numbers, at most half full; the texts lie in an arena.  A
 * part of the hash is kept per name, so that growing and most misses touch no text. */
#include "reports/names.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 1024

struct name {
    const char *p;
    uint32_t n;
    uint32_t hash;
};

struct name_table {
    struct arena arena; /* of the texts */
    struct name *names;
    size_t count, cap;
    uint32_t *slots; /* 0: free */
    size_t slot_count;
    uint64_t seed;
};

static void *
resize(void *p, size_t count, size_t size)
{
    p = reallocarray(p, count, size);
    if (!p)
        abort();
    return p;
}

static void
place(struct name_table *t, uint32_t name)
{
    size_t mask = t->slot_count - 1, at = t->names[name].hash & mask;
    while (t->slots[at])
        at = (at + 1) & mask;
    t->slots[at] = name;
}

static void
grow_slots(struct name_table *t)
{
    t->slot_count = t->slot_count ? t->slot_count * 2 : SLOTS_MIN;
    free(t->slots);
    t->slots = resize(NULL, t->slot_count, sizeof(*t->slots));
    memset(t->slots, 0, t->slot_count * sizeof(*t->slots));
    for (size_t i = 1; i < t->count; i++)
        place(t, (uint32_t)i);
}

struct name_table *
names_open(void)
{
    struct name_table *t = calloc(1, sizeof(*t));
    if (!t)
        abort();
    random_bytes(&t->seed, sizeof(t->seed));
    t->cap = SLOTS_MIN;
    t->names = resize(NULL, t->cap, sizeof(*t->names));
    t->names[0] = (struct name){.p = ""};
    t->count = 1;
    grow_slots(t);
    return t;
}

void
names_close(struct name_table **names)
{
    struct name_table *t = *names;
    *names = NULL;
    if (!t)
        return;
    arena_free(&t->arena);
    free(t->names);
    free(t->slots);
    free(t);
}

static uint32_t
add(struct name_table *t, struct str text, uint32_t hash)
{
    assert(t->count < UINT32_MAX && text.n < UINT32_MAX);
    if (t->count == t->cap) {
        t->cap += t->cap / 2;
        t->names = resize(t->names, t->cap, sizeof(*t->names));
    }
    uint32_t name = (uint32_t)t->count++;
    t->names[name] =
        (struct name){.p = arena_str(&t->arena, text).p, .n = (uint32_t)text.n, .hash = hash};
    if (t->count > t->slot_count / 2)
        grow_slots(t);
    else
        place(t, name);
    return name;
}

uint32_t
name_intern(struct name_table *t, struct str text)
{
    if (text.n == 0)
        return 0;
    uint32_t hash = (uint32_t)hash_bytes(text, t->seed);
    size_t mask = t->slot_count - 1;
    for (size_t at = hash & mask; t->slots[at]; at = (at + 1) & mask) {
        const struct name *name = &t->names[t->slots[at]];
        if (name->hash == hash && name->n == text.n && memcmp(name->p, text.p, text.n) == 0)
            return t->slots[at];
    }
    return add(t, text, hash);
}

struct str
name_text(const struct name_table *t, uint32_t name)
{
    assert(name < t->count);
    return (struct str){t->names[name].p, t->names[name].n};
}

size_t
name_count(const struct name_table *t)
{
    return t->count;
}
