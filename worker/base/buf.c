#include "base/buf.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t bytes_max)
{
    *b = (struct buf){.max = bytes_max};
}

void
buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){.max = b->max};
}

void
buf_clear(struct buf *b)
{
    b->n = 0;
    b->is_full = false;
}

char *
buf_reserve(struct buf *b, size_t bytes)
{
    if (bytes > b->max - b->n) {
        b->is_full = true;
        return NULL;
    }
    size_t need = b->n + bytes;
    if (need > b->cap || !b->p) {
        size_t cap = MIN(MAX(MAX(need, b->cap * 2), 256), MAX(b->max, 1));
        b->p = mem_resize(b->p, cap, 1);
        b->cap = cap;
    }
    return b->p + b->n;
}

void
buf_add(struct buf *b, struct str s)
{
    char *to = buf_reserve(b, s.n);
    if (!to || s.n == 0)
        return;
    memcpy(to, s.p, s.n);
    b->n += s.n;
}

void
buf_add_char(struct buf *b, char c)
{
    buf_add(b, (struct str){&c, 1});
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    /* Formatted straight into the free room: nearly every text fits at the first attempt. */
    size_t room = b->cap - b->n;
    int n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, args);
    va_end(args);
    assert(n >= 0);
    /* One byte more than the text, for the NUL that vsnprintf always writes. */
    char *to = (size_t)n < room ? b->p + b->n : buf_reserve(b, (size_t)n + 1);
    if (to && (size_t)n >= room)
        vsnprintf(to, (size_t)n + 1, fmt, again);
    if (to)
        b->n += (size_t)n;
    va_end(again);
}

struct str
buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
