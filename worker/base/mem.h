/* Memory of what is opened and closed, and of what grows for as long as an import takes; a
 * request's is an arena.  Out of memory ends the process with a line on stderr, as it does in
 * an arena: no result is NULL, and no caller asks.  All of it is given back with free(). */
#pragma once

#include "base/base.h"

/* The end, for who finds memory short without asking for it here. */
NORETURN void mem_exhausted(void);

void *mem_alloc(size_t bytes); /* not zeroed */
/* Zeroed; a product that overflows ends the process. */
void *mem_alloc_array(size_t count, size_t size);
#define mem_new(type) ((type *)mem_alloc_array(1, sizeof(type)))
#define mem_array(count, type) ((type *)mem_alloc_array((count), sizeof(type)))

/* `count` elements in place of `p`, which may be NULL; what is new is not zeroed. */
void *mem_resize(void *p, size_t count, size_t size);

/* Capacity of an array that is to hold `count` elements: at least doubled, so that adding one
 * after the other costs the same for each. */
size_t mem_larger_cap(size_t cap, size_t count);

/* Room for `count` elements in place of `p` (NULL while `*cap` is 0), where `*cap` is too
 * few. */
static inline void *
mem_grow(void *p, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return p;
    *cap = mem_larger_cap(*cap, count);
    return mem_resize(p, *cap, size);
}
