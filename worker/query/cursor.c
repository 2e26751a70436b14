/* The cursor of query.h: 32 bytes, little-endian, as base64url without padding.
 *
 *     version i64 | hash u64 of dataset, filter, sort | offset u64 | checksum u64 of the 24
 * before
 *
 * The checksum tells a mangled cursor from one of another query, so that the message can say
 * which; it is no signature, since a forged offset shows nothing that the filter would not. */
#include "base/hash.h"
#include "query/query.h"

#include <string.h>

#define CURSOR_BYTES 32
#define CURSOR_CHARS 43 /* ceil(32 * 4 / 3): the last one holds four bits */
#define CHECKSUM_SEED 0x706d637572736f72

static const char ALPHABET[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void
put_u64(unsigned char *out, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t
get_u64(const unsigned char *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static uint64_t
checksum(const unsigned char *bytes)
{
    return hash_bytes((struct str){(const char *)bytes, 24}, CHECKSUM_SEED);
}

static uint64_t
hash_query(const struct ask *ask, const struct query *query)
{
    /* The dataset, since version numbers of two datasets are alike. */
    uint64_t hash =
        hash_u64((uint64_t)ask->version->dataset.id, filter_hash(ask->filter)) ^ query->binding;
    for (size_t i = 0; i < query->sort_count; i++)
        hash = hash_u64(query->sort[i].column * 2 + query->sort[i].is_descending, hash);
    return hash;
}

struct str
query_make_cursor(const struct ask *ask, const struct query *query, uint64_t offset)
{
    unsigned char bytes[CURSOR_BYTES + 1] = {0};
    char *text = arena_alloc(ask->arena, CURSOR_CHARS + 1);
    put_u64(bytes, (uint64_t)ask->version->info.number);
    put_u64(bytes + 8, hash_query(ask, query));
    put_u64(bytes + 16, offset);
    put_u64(bytes + 24, checksum(bytes));
    for (size_t i = 0; i < CURSOR_CHARS; i++) {
        size_t bit = i * 6;
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        text[i] = ALPHABET[pair >> (10 - bit % 8) & 63];
    }
    return (struct str){text, CURSOR_CHARS};
}

static bool
read_bytes(struct str text, unsigned char bytes[CURSOR_BYTES + 1])
{
    if (text.n != CURSOR_CHARS)
        return false;
    memset(bytes, 0, CURSOR_BYTES + 1);
    for (size_t i = 0; i < CURSOR_CHARS; i++) {
        const char *at = text.p[i] ? strchr(ALPHABET, text.p[i]) : NULL;
        size_t bit = i * 6;
        if (!at)
            return false;
        unsigned pair = (unsigned)(at - ALPHABET) << (10 - bit % 8);
        bytes[bit / 8] |= (unsigned char)(pair >> 8);
        bytes[bit / 8 + 1] |= (unsigned char)pair;
    }
    return bytes[CURSOR_BYTES] == 0; /* one text per cursor: no stray bits at the end */
}

bool
query_parse_cursor(struct str text, struct query_cursor *out, struct err *err)
{
    unsigned char bytes[CURSOR_BYTES + 1];
    if (!read_bytes(text, bytes) || get_u64(bytes + 24) != checksum(bytes))
        return err_set_name(err, ERR_BAD_PARAMETER, "bad_cursor", STR("cursor"),
                            "cursor: '%" STR_FMT "' is not a cursor that was given out here",
                            STR_ARG(str_slice(text, 0, 80)));
    *out =
        (struct query_cursor){(int64_t)get_u64(bytes), get_u64(bytes + 8), get_u64(bytes + 16)};
    return true;
}

bool
query_use_cursor(struct query *query, const struct ask *ask, const struct query_cursor *cursor,
                 struct err *err)
{
    int64_t version = ask->version->info.number;
    if (cursor->version != version)
        return err_set_name(err, ERR_GONE, NULL, STR("cursor"),
                            "cursor: it belongs to version %lld, this is version %lld",
                            (long long)cursor->version, (long long)version);
    if (cursor->hash != hash_query(ask, query))
        return err_set_name(err, ERR_BAD_PARAMETER, "cursor_mismatch", STR("cursor"),
                            "cursor: it belongs to another dataset, filter or sort; repeat "
                            "those of the request that gave it");
    query->offset = cursor->offset;
    return true;
}
