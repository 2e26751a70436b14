#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define CAP_MIN 16

void
mem_exhausted(void)
{
    fputs("playmeter: out of memory\n", stderr);
    abort();
}

static void *
must_have(void *p)
{
    if (!p)
        mem_exhausted();
    return p;
}

void *
mem_alloc(size_t bytes)
{
    return must_have(malloc(MAX(bytes, 1)));
}

void *
mem_alloc_array(size_t count, size_t size)
{
    return must_have(calloc(MAX(count, 1), size));
}

void *
mem_resize(void *p, size_t count, size_t size)
{
    return must_have(reallocarray(p, MAX(count, 1), size));
}

size_t
mem_larger_cap(size_t cap, size_t count)
{
    return MAX(MAX(cap * 2, count), CAP_MIN);
}
