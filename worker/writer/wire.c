/* Bytes are put together by shifts: independent of the machine's order, and of
 * alignment. */
#include "writer/wire.h"

static void
add_le(struct buf *out, uint64_t v, size_t bytes)
{
    char le[8];
    for (size_t i = 0; i < bytes; i++)
        le[i] = (char)(v >> (8 * i));
    buf_add(out, (struct str){le, bytes});
}

static uint64_t
take_le(struct wire *w, size_t bytes)
{
    if (w->is_bad || w->rest.n < bytes) {
        w->is_bad = true;
        return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)(unsigned char)w->rest.p[i] << (8 * i);
    w->rest = str_skip(w->rest, bytes);
    return v;
}

void
wire_add_u64(struct buf *out, uint64_t v)
{
    add_le(out, v, 8);
}

void
wire_add_str(struct buf *out, struct str s)
{
    /* What the buf's bound refuses anyway must not be written with a length that is cut. */
    if (s.n > UINT32_MAX) {
        out->is_full = true;
        return;
    }
    add_le(out, s.n, 4);
    buf_add(out, s);
}

uint64_t
wire_u64(struct wire *w)
{
    return take_le(w, 8);
}

struct str
wire_str(struct wire *w)
{
    size_t n = take_le(w, 4);
    if (w->is_bad || n > w->rest.n) {
        w->is_bad = true;
        return (struct str){"", 0};
    }
    struct str s = str_slice(w->rest, 0, n);
    w->rest = str_skip(w->rest, n);
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
