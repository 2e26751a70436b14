#include "base/gzip.h"

#include "base/mem.h"

#include <stdlib.h>
#include <zlib.h>

/* zlib counts its input in an unsigned int. */
#define INPUT_BYTES_MAX (1024 * MIB)

struct gzip {
    z_stream z;
    struct str rest; /* not yet given to zlib */
    size_t total;
    bool is_in_member;
};

bool
gzip_begins(struct str head)
{
    return str_starts(head, STR("\x1f\x8b"));
}

struct gzip *
gzip_open(struct str bytes)
{
    struct gzip *g = mem_new(struct gzip);
    g->rest = bytes;
    g->total = bytes.n;
    enum { GZIP_ONLY = 15 + 16 };
    if (inflateInit2(&g->z, GZIP_ONLY) != Z_OK)
        mem_exhausted();
    g->is_in_member = true;
    return g;
}

void
gzip_close(struct gzip **g)
{
    if (!*g)
        return;
    inflateEnd(&(*g)->z);
    free(*g);
    *g = NULL;
}

size_t
gzip_position(const struct gzip *g)
{
    return g->total - g->rest.n - g->z.avail_in;
}

/* Between members: another member, zero padding, or the end. */
static bool
begin_member(struct gzip *g, bool *is_end, struct err *err)
{
    size_t at = gzip_position(g);
    const char *p = (const char *)g->z.next_in;
    struct str tail = {p, g->z.avail_in + g->rest.n};
    if (gzip_begins(tail)) {
        inflateReset(&g->z);
        g->is_in_member = true;
        return true;
    }
    for (size_t i = 0; i < tail.n; i++)
        if (tail.p[i] != '\0')
            return err_set_code(err, ERR_INVALID, "bad_gzip",
                                "The gzip stream ends at byte %zu and something else follows",
                                at);
    *is_end = true;
    return true;
}

static bool
inflate_some(struct gzip *g, struct err *err)
{
    if (g->z.avail_in == 0 && g->rest.n > 0) {
        struct str input = str_slice(g->rest, 0, INPUT_BYTES_MAX);
        g->z.next_in = (unsigned char *)(uintptr_t)input.p;
        g->z.avail_in = (unsigned)input.n;
        g->rest = str_skip(g->rest, input.n);
    }
    int result = inflate(&g->z, Z_NO_FLUSH);
    if (result == Z_STREAM_END)
        g->is_in_member = false;
    if (result == Z_OK || result == Z_STREAM_END)
        return true;
    if (result == Z_MEM_ERROR)
        mem_exhausted();
    if (result == Z_BUF_ERROR)
        return err_set_code(err, ERR_INVALID, "bad_gzip",
                            "The gzip stream is cut short: it has %zu bytes and no end",
                            g->total);
    return err_set_code(err, ERR_INVALID, "bad_gzip",
                        "The gzip stream is damaged near byte %zu of %zu: %s", gzip_position(g),
                        g->total, g->z.msg ? g->z.msg : "no details");
}

bool
gzip_read(struct gzip *g, char *out, size_t cap, size_t *n, struct err *err)
{
    g->z.next_out = (unsigned char *)out;
    g->z.avail_out = (unsigned)MIN(cap, INPUT_BYTES_MAX);
    size_t room = g->z.avail_out;
    bool is_end = false;
    while (g->z.avail_out == room && !is_end) {
        bool ok = g->is_in_member ? inflate_some(g, err) : begin_member(g, &is_end, err);
        if (!ok)
            return false;
    }
    *n = room - g->z.avail_out;
    return true;
}

bool
gzip_read_all(struct buf *out, struct str bytes, struct err *err)
{
    scoped_gzip g = gzip_open(bytes);
    char chunk[16 * KIB];
    size_t n = 1;
    while (n > 0 && !out->is_full) {
        if (!gzip_read(g, chunk, sizeof(chunk), &n, err))
            return false;
        buf_add(out, (struct str){chunk, n});
    }
    return true;
}
