#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Small enough that an idle worker holds little, large enough that most requests need one. */
#define CHUNK_BYTES (64 * KIB)

struct arena_chunk {
    struct arena_chunk *next;
    size_t cap;
    max_align_t data[];
};

void
arena_free(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        free(chunk);
    }
    *a = (struct arena){0};
}

void
arena_reset(struct arena *a)
{
    struct arena_chunk *keep = NULL;
    while (a->chunks) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        if (!keep && chunk->cap == CHUNK_BYTES)
            keep = chunk;
        else
            free(chunk);
    }
    if (keep)
        keep->next = NULL;
    *a = (struct arena){.chunks = keep};
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
    size_t align = _Alignof(max_align_t);
    if (bytes > SIZE_MAX / 2)
        mem_exhausted();
    size_t size = (MAX(bytes, 1) + align - 1) / align * align;
    if (!a->chunks || a->chunks->cap - a->used < size) {
        size_t cap = MAX(size, CHUNK_BYTES);
        struct arena_chunk *chunk = mem_alloc(sizeof(*chunk) + cap);
        chunk->next = a->chunks;
        chunk->cap = cap;
        a->chunks = chunk;
        a->used = 0;
    }
    void *p = (char *)a->chunks->data + a->used;
    a->used += size;
    a->total += size;
    return memset(p, 0, size);
}

void *
arena_alloc_array(struct arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        mem_exhausted();
    return arena_alloc(a, bytes);
}

void *
arena_grow(struct arena *a, void *p, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return p;
    size_t larger_cap = mem_larger_cap(*cap, count);
    void *larger = arena_alloc_array(a, larger_cap, size);
    if (*cap)
        memcpy(larger, p, *cap * size);
    *cap = larger_cap;
    return larger;
}

struct str
arena_str(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    return (struct str){copy, s.n};
}

const char *
arena_cstr(struct arena *a, struct str s)
{
    return arena_str(a, s).p;
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct str){p, (size_t)n};
}
