/* Unsigned numbers in as few bytes as they need: seven bits per byte, lowest first, the high
 * bit set in all bytes but the last (LEB128). */
#pragma once

#include "base/base.h"

#define VARINT_BYTES_MAX 10

static inline size_t
varint_write(char *out, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        out[n++] = (char)(v | 0x80);
    out[n++] = (char)v;
    return n;
}

/* Reads at `*p` and advances it.  False, with `*p` set to `end`, when the number does not end
 * before `end` or has more than 64 bits. */
static inline bool
varint_read(const char **p, const char *end, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; *p < end && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*(*p)++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    *p = end;
    return false;
}
