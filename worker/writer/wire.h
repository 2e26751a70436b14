/* What messages are made of: numbers and strings in a fixed order, little-endian.
 *     u64      8 bytes          str   u32 length, bytes
 * A reader that runs off the end, or a str longer than what is left, sets `is_bad` and yields
 * zeros; wire_end is looked at once. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

void wire_add_u64(struct buf *out, uint64_t v);
void wire_add_str(struct buf *out, struct str s);

struct wire {
    struct str rest;
    bool is_bad;
};
uint64_t wire_u64(struct wire *w);
struct str wire_str(struct wire *w); /* points into the message */
/* True when every byte was read and none was missing; else false with err set. */
MUST_CHECK bool wire_end(const struct wire *w, struct err *err);
