/* Everything that could lead outside the map is checked when the file is opened, so the readers
 * of each kind check only the numbers inside their own sections. */
#include "index/container.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "index/container_format.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files are read in place");
static_assert(sizeof(struct container_header) == CONTAINER_ALIGN, "drawn in container.h");
static_assert(sizeof(struct container_section) == 32, "drawn in container.h");

bool
container_damaged(struct err *err, const char *fmt, ...)
{
    char reason[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason, sizeof(reason), fmt, args);
    va_end(args);
    return err_set_code(err, ERR_BUSY, "index_damaged", "an index file does not fit: %s",
                        reason);
}

static struct str
section_bytes(const struct container *c, const struct container_section *s)
{
    return (struct str){c->file.p + s->offset, s->bytes};
}

static struct str
table_of(const struct container_header *h, const char *p)
{
    return (struct str){p, h->section_count * sizeof(struct container_section)};
}

/* Checks where the table is, before it is read. */
static bool
check_header(const struct container_header *h, uint64_t file_bytes, const char *kind,
             uint32_t version, struct err *err)
{
    char wanted[sizeof(h->kind)] = {0};
    memcpy(wanted, kind, MIN(strlen(kind), sizeof(wanted)));
    if (memcmp(h->magic, CONTAINER_MAGIC, sizeof(h->magic)) != 0)
        return container_damaged(err, "its magic number is wrong");
    if (memcmp(h->kind, wanted, sizeof(wanted)) != 0)
        return container_damaged(err, "it is not of kind %s", kind);
    if (h->header_checksum !=
        hash_bytes(
            (struct str){(const char *)h, offsetof(struct container_header, header_checksum)},
            0))
        return container_damaged(err, "the checksum of its header is wrong");
    if (h->version != version)
        return container_damaged(err, "its format version is %u, ours is %u", h->version,
                                 version);
    if (h->file_bytes != file_bytes)
        return container_damaged(err, "it should have %llu bytes and has %llu",
                                 (unsigned long long)h->file_bytes,
                                 (unsigned long long)file_bytes);
    if (h->table_offset % CONTAINER_ALIGN || h->table_offset > file_bytes ||
        table_of(h, NULL).n > file_bytes - h->table_offset)
        return container_damaged(err, "its section table lies outside");
    return true;
}

static uint64_t
section_key(const struct container_section *s)
{
    return (uint64_t)s->column << 32 | s->kind;
}

/* Checks the table of a file whose header is valid. */
static bool
check_table(const struct container_header *h, const struct container *c, struct err *err)
{
    if (h->table_checksum != checksum_add(0, table_of(h, (const char *)c->sections)))
        return container_damaged(err, "the checksum of its section table is wrong");
    for (size_t i = 0; i < c->section_count; i++) {
        const struct container_section *s = &c->sections[i];
        if (i && section_key(s) <= section_key(s - 1))
            return container_damaged(err, "its section table is not in order");
        if (s->offset % CONTAINER_ALIGN || s->offset > c->file.n ||
            s->bytes > c->file.n - s->offset)
            return container_damaged(err, "section %u of column %u lies outside", s->kind,
                                     s->column);
    }
    return true;
}

bool
container_open(struct container *out, struct str file, const char *kind, uint32_t version,
               struct err *err)
{
    if (file.n < sizeof(struct container_header))
        return container_damaged(err, "it has only %zu bytes", file.n);
    const struct container_header *h = (const struct container_header *)file.p;
    if (!check_header(h, file.n, kind, version, err))
        return false;
    struct container c = {
        .file = file,
        .sections = (const struct container_section *)(file.p + h->table_offset),
        .section_count = h->section_count,
        .row_count = h->row_count,
    };
    if (!check_table(h, &c, err))
        return false;
    *out = c;
    return true;
}

static const struct container_section *
find_section(const struct container *c, uint32_t kind, uint32_t column)
{
    uint64_t key = section_key(&(struct container_section){.kind = kind, .column = column});
    size_t low = 0, high = c->section_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (section_key(&c->sections[middle]) < key)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_found = low < c->section_count && section_key(&c->sections[low]) == key;
    return is_found ? &c->sections[low] : NULL;
}

struct str
container_find(const struct container *c, uint32_t kind, uint32_t column)
{
    const struct container_section *s = find_section(c, kind, column);
    return s ? section_bytes(c, s) : (struct str){0};
}

static bool
compare_checksum(const struct container_section *s, uint64_t checksum, struct err *err)
{
    return s->checksum == checksum ||
           container_damaged(err, "the checksum of section %u of column %u is wrong", s->kind,
                             s->column);
}

static bool
verify_section(const struct container *c, const struct container_section *s, struct err *err)
{
    return compare_checksum(s, checksum_add(0, section_bytes(c, s)), err);
}

bool
container_verify(const struct container *c, struct err *err)
{
    for (size_t i = 0; i < c->section_count; i++)
        if (!verify_section(c, &c->sections[i], err))
            return false;
    return true;
}

bool
container_verify_section(const struct container *c, uint32_t kind, uint32_t column,
                         struct err *err)
{
    const struct container_section *s = find_section(c, kind, column);
    if (!s)
        return container_damaged(err, "section %u of column %u is missing", kind, column);
    return verify_section(c, s, err);
}

static bool
check_read(int fd, const struct container_header *h, const struct container *c, struct err *err)
{
    struct str table = table_of(h, (const char *)c->sections);
    if (!fs_read_at(fd, (char *)table.p, table.n, h->table_offset, err) ||
        !check_table(h, c, err))
        return false;
    for (size_t i = 0; i < c->section_count; i++) {
        const struct container_section *s = &c->sections[i];
        uint64_t checksum;
        if (!checksum_file(fd, s->offset, s->bytes, &checksum, err) ||
            !compare_checksum(s, checksum, err))
            return false;
    }
    return true;
}

bool
container_check(int fd, const char *kind, uint32_t version, uint64_t row_count, struct err *err)
{
    struct container_header h;
    uint64_t bytes;
    if (!fs_size(fd, &bytes, err))
        return false;
    if (bytes < sizeof(h))
        return container_damaged(err, "it has only %llu bytes", (unsigned long long)bytes);
    if (!fs_read_at(fd, &h, sizeof(h), 0, err) || !check_header(&h, bytes, kind, version, err))
        return false;
    if (h.row_count != row_count)
        return container_damaged(err, "it has %llu rows and the version %llu",
                                 (unsigned long long)h.row_count,
                                 (unsigned long long)row_count);
    struct container_section *sections = mem_alloc(table_of(&h, NULL).n);
    struct container c = {.file = {NULL, bytes},
                          .sections = sections,
                          .section_count = h.section_count,
                          .row_count = h.row_count};
    bool ok = check_read(fd, &h, &c, err);
    free(sections);
    return ok;
}
