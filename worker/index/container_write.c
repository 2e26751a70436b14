/* A section's checksum is computed from the buffer just before it is written to the file, while
 * it is in the cache; so buffers are written in whole checksum blocks and keep the rest. */
#include "index/container.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "index/container_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Sections that are filled through streams begin on a page, so that no page is written by two.
 */
#define PLACE_ALIGN 4096

void
container_writer_init(struct container_writer *w, int fd)
{
    *w = (struct container_writer){.fd = fd, .end = PLACE_ALIGN};
}

void
container_writer_free(struct container_writer *w)
{
    free(w->sections);
    *w = (struct container_writer){.fd = -1};
}

static uint64_t
align_up(uint64_t v, uint64_t to)
{
    return (v + to - 1) / to * to;
}

uint64_t
container_reserve(struct container_writer *w, uint64_t bytes)
{
    uint64_t at = align_up(w->end, PLACE_ALIGN);
    w->end = at + bytes;
    return at;
}

void
container_add_section(struct container_writer *w, struct container_section section)
{
    w->sections = mem_grow(w->sections, &w->section_cap, w->section_count + 1,
                           sizeof(struct container_section));
    w->sections[w->section_count++] = section;
}

bool
container_write_section(struct container_writer *w, uint32_t kind, uint32_t column,
                        struct str bytes, struct err *err)
{
    struct container_section section = {
        .kind = kind,
        .column = column,
        .offset = align_up(w->end, CONTAINER_ALIGN),
        .bytes = bytes.n,
        .checksum = checksum_add(0, bytes),
    };
    if (!fs_write_at(w->fd, bytes, section.offset, err))
        return false;
    w->end = section.offset + bytes.n;
    container_add_section(w, section);
    return true;
}

static int
compare_sections(const void *a, const void *b)
{
    const struct container_section *x = a, *y = b;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->kind < y->kind ? -1 : x->kind > y->kind;
}

bool
container_finish(struct container_writer *w, const char *kind, uint32_t version,
                 uint64_t row_count, struct err *err)
{
    qsort(w->sections, w->section_count, sizeof(struct container_section), compare_sections);
    struct str table = {(const char *)w->sections,
                        w->section_count * sizeof(struct container_section)};
    struct container_header h = {
        .version = version,
        .section_count = (uint32_t)w->section_count,
        .row_count = row_count,
        .table_offset = align_up(w->end, CONTAINER_ALIGN),
        .table_checksum = checksum_add(0, table),
    };
    memcpy(h.magic, CONTAINER_MAGIC, sizeof(h.magic));
    memcpy(h.kind, kind, MIN(strlen(kind), sizeof(h.kind)));
    h.file_bytes = h.table_offset + table.n;
    struct str checked = {(const char *)&h, offsetof(struct container_header, header_checksum)};
    h.header_checksum = hash_bytes(checked, 0);
    if (!fs_write_at(w->fd, table, h.table_offset, err))
        return false;
    if (ftruncate(w->fd, (off_t)h.file_bytes))
        return err_set_errno(err, "sizing an index file");
    return fs_write_at(w->fd, (struct str){(const char *)&h, sizeof(h)}, 0, err);
}

void
container_stream_init(struct container_stream *s, struct container_writer *w,
                      uint64_t bytes_max, size_t cap)
{
    cap = MAX(cap / CHECKSUM_BLOCK * CHECKSUM_BLOCK, CONTAINER_STREAM_BUFFER_MIN);
    *s = (struct container_stream){
        .fd = w->fd,
        .offset = container_reserve(w, bytes_max),
        .bytes_max = bytes_max,
        .buffer = mem_alloc(cap),
        .cap = cap,
    };
}

void
container_stream_free(struct container_stream *s)
{
    free(s->buffer);
    *s = (struct container_stream){0};
}

static bool
write_out(struct container_stream *s, size_t bytes, struct err *err)
{
    struct str out = {s->buffer, bytes};
    if (bytes > s->bytes_max - s->written)
        return err_set(err, ERR_INTERNAL,
                       "a section of an index file outgrew the %llu bytes stated for it",
                       (unsigned long long)s->bytes_max);
    if (!fs_write_at(s->fd, out, s->offset + s->written, err))
        return false;
    s->checksum = checksum_add(s->checksum, out);
    s->written += bytes;
    s->n -= bytes;
    memmove(s->buffer, s->buffer + bytes, s->n);
    return true;
}

bool
container_stream_flush(struct container_stream *s, struct err *err)
{
    return write_out(s, s->n / CHECKSUM_BLOCK * CHECKSUM_BLOCK, err);
}

bool
container_stream_end(struct container_stream *s, struct err *err)
{
    return write_out(s, s->n, err);
}

struct container_section
container_stream_section(const struct container_stream *s, uint32_t kind, uint32_t column)
{
    return (struct container_section){.kind = kind,
                                      .column = column,
                                      .offset = s->offset,
                                      .bytes = s->written,
                                      .checksum = s->checksum};
}
