/* Text being built: a growing byte buffer with a mandatory maximum.  A call that would exceed
 * the maximum does not fail: what does not fit is dropped and `is_full` is set and stays set,
 * so the caller checks it once, at the end.  Out of memory below the maximum ends the process,
 * as in an arena. */
#pragma once

#include "base/str.h"

struct buf {
    char *p;
    size_t n;     /* bytes written */
    size_t cap;   /* bytes allocated */
    size_t max;   /* bytes allowed */
    bool is_full; /* something was dropped */
};

void buf_init(struct buf *b, size_t bytes_max);
void buf_free(struct buf *b);  /* accepts a zeroed struct */
void buf_clear(struct buf *b); /* empty again, memory kept */
void buf_add(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
#define buf_add_lit(b, literal) buf_add((b), STR(literal))
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for `bytes` more, to be written in place and then claimed with `b->n +=`.  NULL, with
 * is_full set, when that would exceed the maximum. */
char *buf_reserve(struct buf *b, size_t bytes);
struct str buf_str(const struct buf *b); /* valid until the next call that adds */

#define scoped_buf SCOPED(buf_free) struct buf
