/* Structs as bytes: arguments and replies of operations.  A table names the members that are
 * sent, in their order; writing and reading both go by it, so they cannot differ.
 *
 *     member of a struct                     bytes (wire.h), u64 and str
 *     int64_t, uint64_t, unsigned, enum      u64
 *     bool                                   u64, 0 or 1
 *     struct str, char[] that ends in NUL    str
 *     a list and its count                   u64 count, then the members of each element
 *
 * A member that the table does not name is not sent, and zero in what was read. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

enum codec_kind {
    CODEC_END,
    CODEC_U64,
    CODEC_U32,
    CODEC_BOOL,
    CODEC_STR,
    CODEC_TEXT,
    CODEC_LIST
};

struct codec_field {
    enum codec_kind kind;
    size_t offset, bytes; /* of the member */
    /* Of a list, whose member is a pointer. */
    size_t count_offset;         /* a size_t */
    size_t count_max;            /* more are malformed */
    const struct codec *element; /* what it points to */
};
struct codec {
    size_t bytes;                     /* of the struct */
    const struct codec_field *fields; /* ends with CODEC_END */
};

// clang-format off
/* static const struct codec POINT =
 *     CODEC(struct point, CODEC_FIELD(struct point, x), CODEC_FIELD(struct point, y)); */
#define CODEC(type, ...) {sizeof(type), (const struct codec_field[]){__VA_ARGS__, {0}}}
#define CODEC_FIELD(type, member)                                                              \
    {.kind = _Generic(((type *)0)->member,                                                     \
                      int64_t: CODEC_U64, uint64_t: CODEC_U64, unsigned: CODEC_U32,            \
                      bool: CODEC_BOOL, struct str: CODEC_STR, char *: CODEC_TEXT),            \
     .offset = offsetof(type, member), .bytes = sizeof(((type *)0)->member)}
#define CODEC_FIELD_LIST(type, list, count, max, codec)                                        \
    {.kind = CODEC_LIST, .offset = offsetof(type, list),                                       \
     .count_offset = offsetof(type, count), .count_max = (max), .element = (codec)}
// clang-format on

/* `codec` NULL stands for no bytes.  A list has at most its count_max. */
void codec_add(struct buf *out, const struct codec *codec, const void *in);
/* The struct in the arena, where its lists are too; its strings point into `bytes`.  NULL:
 * bytes are missing or left over, a number does not fit its member, a bool is neither 0 nor 1,
 * a text is too long for its array or has a NUL, or a list has more than its count_max. */
MUST_CHECK void *codec_read(struct arena *a, const struct codec *codec, struct str bytes,
                            struct err *err);
