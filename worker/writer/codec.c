#include "writer/codec.h"

#include "writer/wire.h"

#include <string.h>

static void add_members(struct buf *out, const struct codec *codec, const char *in);

static void
add_list(struct buf *out, const struct codec_field *f, const char *elements, size_t count)
{
    assert(count <= f->count_max);
    wire_add_u64(out, count);
    for (size_t i = 0; i < count; i++)
        add_members(out, f->element, elements + i * f->element->bytes);
}

static void
add_members(struct buf *out, const struct codec *codec, const char *in)
{
    for (const struct codec_field *f = codec->fields; f->kind != CODEC_END; f++) {
        const void *member = in + f->offset;
        if (f->kind == CODEC_U64)
            wire_add_u64(out, *(const uint64_t *)member);
        else if (f->kind == CODEC_U32)
            wire_add_u64(out, *(const uint32_t *)member);
        else if (f->kind == CODEC_BOOL)
            wire_add_u64(out, *(const bool *)member);
        else if (f->kind == CODEC_STR)
            wire_add_str(out, *(const struct str *)member);
        else if (f->kind == CODEC_TEXT)
            wire_add_str(out, str_from(member));
        else
            add_list(out, f, *(const char *const *)member,
                     *(const size_t *)(const void *)(in + f->count_offset));
    }
}

void
codec_add(struct buf *out, const struct codec *codec, const void *in)
{
    if (codec)
        add_members(out, codec, in);
}

static uint64_t
read_at_most(struct wire *w, uint64_t max)
{
    uint64_t v = wire_u64(w);
    w->is_bad = w->is_bad || v > max;
    return w->is_bad ? 0 : v;
}

static void
read_text(struct wire *w, char *out, size_t bytes)
{
    struct str text = wire_str(w);
    w->is_bad = w->is_bad || text.n >= bytes || str_find_char(text, '\0') >= 0;
    if (!w->is_bad && text.n)
        memcpy(out, text.p, text.n);
}

static void read_members(struct arena *a, struct wire *w, const struct codec *codec, char *out);

/* The count is looked at before memory is taken for it. */
static void *
read_list(struct arena *a, struct wire *w, const struct codec_field *f, size_t *count)
{
    *count = read_at_most(w, f->count_max);
    char *elements = arena_alloc_array(a, *count, f->element->bytes);
    for (size_t i = 0; i < *count && !w->is_bad; i++)
        read_members(a, w, f->element, elements + i * f->element->bytes);
    return elements;
}

/* `out` is zeroed. */
static void
read_members(struct arena *a, struct wire *w, const struct codec *codec, char *out)
{
    for (const struct codec_field *f = codec->fields; f->kind != CODEC_END; f++) {
        void *member = out + f->offset;
        if (f->kind == CODEC_U64)
            *(uint64_t *)member = wire_u64(w);
        else if (f->kind == CODEC_U32)
            *(uint32_t *)member = (uint32_t)read_at_most(w, UINT32_MAX);
        else if (f->kind == CODEC_BOOL)
            *(bool *)member = read_at_most(w, 1);
        else if (f->kind == CODEC_STR)
            *(struct str *)member = wire_str(w);
        else if (f->kind == CODEC_TEXT)
            read_text(w, member, f->bytes);
        else
            *(void **)member = read_list(a, w, f, (size_t *)(void *)(out + f->count_offset));
    }
}

void *
codec_read(struct arena *a, const struct codec *codec, struct str bytes, struct err *err)
{
    struct wire w = {.rest = bytes};
    void *out = arena_alloc(a, codec ? codec->bytes : 0);
    if (codec)
        read_members(a, &w, codec, out);
    return wire_end(&w, err) ? out : NULL;
}
