#include "writer/wire.h"

#include <endian.h>
#include <string.h>

static void
add_bytes(struct buf *out, const void *bytes, size_t n)
{
    char *to = buf_reserve(out, n);
    if (!to)
        return;
    memcpy(to, bytes, n);
    out->n += n;
}

/* `out` stays as it is when the message ends before. */
static bool
take_bytes(struct wire *w, void *out, size_t n)
{
    w->is_bad = w->is_bad || w->rest.n < n;
    if (w->is_bad)
        return false;
    memcpy(out, w->rest.p, n);
    w->rest.p += n;
    w->rest.n -= n;
    return true;
}

void
wire_add_u64(struct buf *out, uint64_t v)
{
    uint64_t le = htole64(v);
    add_bytes(out, &le, sizeof(le));
}

void
wire_add_str(struct buf *out, struct str s)
{
    /* A text that the buf would refuse anyway must not be written with a truncated length. */
    if (s.n > UINT32_MAX) {
        out->is_full = true;
        return;
    }
    uint32_t le = htole32((uint32_t)s.n);
    add_bytes(out, &le, sizeof(le));
    buf_add(out, s);
}

uint64_t
wire_u64(struct wire *w)
{
    uint64_t le;
    return take_bytes(w, &le, sizeof(le)) ? le64toh(le) : 0;
}

struct str
wire_str(struct wire *w)
{
    uint32_t le;
    size_t n = take_bytes(w, &le, sizeof(le)) ? le32toh(le) : 0;
    w->is_bad = w->is_bad || n > w->rest.n;
    if (w->is_bad)
        return (struct str){"", 0};
    struct str s = {w->rest.p, n};
    w->rest.p += n;
    w->rest.n -= n;
    return s;
}

bool
wire_end(const struct wire *w, struct err *err)
{
    if (w->is_bad)
        return err_set(err, ERR_INTERNAL,
                       "a message is cut short, or a value in it out of bounds");
    if (w->rest.n)
        return err_set(err, ERR_INTERNAL, "a message has %zu bytes too many", w->rest.n);
    return true;
}
