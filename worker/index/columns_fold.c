/* Text is folded directly into the stream's buffer, chunk by chunk. */
#include "index/columns_fold.h"

#include "base/utf8.h"
#include "index/columns_format.h"

/* The end of a chunk of about `n` bytes at the front of `s`, moved to a character boundary. */
static size_t
chunk_end(struct str s, size_t n)
{
    n = MIN(n, s.n);
    while (n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* A chunk with the continuation bytes of its last character, folded, fits into any stream. */
#define CHUNK_BYTES ((size_t)2000)
static_assert((CHUNK_BYTES + 3) * 3 / 2 + 4 <= CONTAINER_STREAM_ROOM_MIN, "a chunk has room");

bool
columns_fold_add(struct container_stream *s, struct str text, uint64_t *prefix, struct err *err)
{
    *prefix = 0;
    for (bool is_first = true; text.n; is_first = false) {
        size_t n = chunk_end(text, CHUNK_BYTES);
        if (!container_stream_ensure(s, n * 3 / 2 + 4, err))
            return false;
        char *out = s->buffer + s->n;
        size_t folded = utf8_fold_into(out, str_slice(text, 0, n));
        if (is_first)
            *prefix = columns_prefix((struct str){out, folded});
        s->n += folded;
        text = str_skip(text, n);
    }
    return true;
}
