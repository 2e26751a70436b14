#include "reports/names.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/random.h"
#include "base/table.h"

#include <stdlib.h>

struct name_table {
    struct arena arena; /* of the texts */
    struct str *names;
    size_t count, cap;
    struct table index; /* of all but "" */
    uint64_t seed;
};

/* The number of a name that is not there. */
static uint32_t
add(struct name_table *t, struct str text)
{
    assert(t->count < UINT32_MAX);
    t->names = mem_grow(t->names, &t->cap, t->count + 1, sizeof(*t->names));
    t->names[t->count] = arena_str(&t->arena, text);
    return (uint32_t)t->count++;
}

struct name_table *
names_open(void)
{
    struct name_table *t = mem_new(struct name_table);
    random_bytes(&t->seed, sizeof(t->seed));
    (void)add(t, STR(""));
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
    table_free(&t->index);
    free(t);
}

uint32_t
name_intern(struct name_table *t, struct str text)
{
    if (text.n == 0)
        return 0;
    uint64_t hash = hash_bytes(text, t->seed);
    struct table_probe probe = table_probe(hash);
    while (table_next(&t->index, &probe))
        if (str_eq(t->names[probe.place], text))
            return probe.place;
    uint32_t name = add(t, text);
    table_add(&t->index, hash, name);
    return name;
}

struct str
name_text(const struct name_table *t, uint32_t name)
{
    assert(name < t->count);
    return t->names[name];
}

size_t
name_count(const struct name_table *t)
{
    return t->count;
}
