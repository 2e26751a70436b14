/* Memory that lives as long as one request or one import step: bump allocation out of chunks,
 * all of it given back at once.  A function allocates if and only if its first parameter is an
 * arena (or a struct buf it fills).  Out of memory ends the process: a worker is cheap to
 * restart and a half-served request is not.  Disadvantage: nothing is given back before the
 * reset. */
#pragma once

#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* bytes of the newest chunk that are taken */
    size_t total;               /* bytes handed out since the last reset */
};

/* A zeroed struct is an empty arena, so there is no init. */
void arena_free(struct arena *a);  /* gives everything back; the arena can be used again */
void arena_reset(struct arena *a); /* the same, but keeps one chunk for the next round */

/* Zeroed memory aligned for any type; never NULL, not even for 0 bytes. */
void *arena_alloc(struct arena *a, size_t bytes);
/* The same for count * size; a product that overflows ends the process. */
void *arena_alloc_array(struct arena *a, size_t count, size_t size);
#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, count, type) ((type *)arena_alloc_array((a), (count), sizeof(type)))
/* Room for `count` elements: `p`, or a larger array, zeroed behind the `*cap` elements of `p`
 * (NULL while `*cap` is 0), which stay where they are until the reset. */
void *arena_grow(struct arena *a, void *p, size_t *cap, size_t count, size_t size);

struct str arena_str(struct arena *a, struct str s); /* a copy, NUL-terminated */
const char *arena_cstr(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);

#define scoped_arena SCOPED(arena_free) struct arena
