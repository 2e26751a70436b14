/* See columns_fold.h.  Most text is ASCII with a few other characters, so eight bytes at a time
 * are folded in a register, and only around the others the code point table is asked. */
#include "index/columns_fold.h"

#include "base/utf8.h"
#include "index/columns_format.h"

#include <string.h>

#define ONES UINT64_C(0x0101010101010101)
#define HIGH_BITS (ONES * 0x80)

/* Folds whole words while they are ASCII; returns the bytes done. */
static size_t
fold_ascii_words(char *out, struct str s)
{
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t word;
        memcpy(&word, s.p + i, 8);
        if (word & HIGH_BITS)
            break;
        /* The high bit of a byte says whether it is at least 'A', and beyond 'Z'; with ASCII
         * bytes the additions never carry into the next. */
        uint64_t from_a = word + ONES * (0x80 - 'A');
        uint64_t beyond_z = word + ONES * (0x80 - 'Z' - 1);
        word |= (from_a & ~beyond_z & HIGH_BITS) >> 2;
        memcpy(out + i, &word, 8);
    }
    return i;
}

/* The end of the piece of about `n` bytes that begins `s`, not inside a character. */
static size_t
piece_end(struct str s, size_t n)
{
    n = MIN(n, s.n);
    while (n < s.n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

static size_t
fold_into(char *out, struct str s)
{
    char *start = out;
    while (s.n) {
        size_t n = fold_ascii_words(out, s);
        out += n;
        s = (struct str){s.p + n, s.n - n};
        size_t rest = piece_end(s, 8);
        out += utf8_fold_into(out, (struct str){s.p, rest});
        s = (struct str){s.p + rest, s.n - rest};
    }
    return (size_t)(out - start);
}

/* A piece, with the last character's continuation bytes, and its growth fit into any stream. */
#define PIECE_BYTES ((size_t)2000)
static_assert((PIECE_BYTES + 3) * 3 / 2 + 4 <= CONTAINER_STREAM_ROOM_MIN, "a piece has room");

bool
columns_fold_add(struct container_stream *s, struct str text, uint64_t *prefix, struct err *err)
{
    *prefix = 0;
    for (bool is_first = true; text.n; is_first = false) {
        size_t n = piece_end(text, PIECE_BYTES);
        if (!container_stream_ensure(s, n * 3 / 2 + 4, err))
            return false;
        char *out = s->buffer + s->n;
        size_t folded = fold_into(out, str_slice(text, 0, n));
        if (is_first)
            *prefix = columns_prefix((struct str){out, folded});
        s->n += folded;
        text = str_skip(text, n);
    }
    return true;
}
