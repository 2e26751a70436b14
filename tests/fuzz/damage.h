/* Damage to an index file as a fuzzer's input says it: small changes, each put where the input
 * chooses; half of the inputs also have their checksums made right again, so that the checks
 * behind them are reached; some are cut short. */
#pragma once

#include "base/arena.h"
#include "base/fs.h"
#include "base/hash.h"
#include "index/container.h"
#include "index/container_format.h"

#include <stdlib.h>
#include <string.h>

/* Every checksum made to fit what is there, as far as the places lie inside. */
static inline void
damage_repair(char *file, size_t n)
{
    struct container_header h;
    memcpy(&h, file, sizeof(h));
    uint64_t table_bytes = (uint64_t)h.section_count * sizeof(struct container_section);
    if (h.table_offset <= n && table_bytes <= n - h.table_offset) {
        for (uint32_t i = 0; i < h.section_count; i++) {
            struct container_section s;
            char *at = file + h.table_offset + i * sizeof(s);
            memcpy(&s, at, sizeof(s));
            if (s.offset <= n && s.bytes <= n - s.offset)
                s.checksum = checksum_add(0, (struct str){file + s.offset, s.bytes});
            memcpy(at, &s, sizeof(s));
        }
        h.table_checksum = checksum_add(0, (struct str){file + h.table_offset, table_bytes});
    }
    struct str checked = {(const char *)&h, offsetof(struct container_header, header_checksum)};
    h.header_checksum = hash_bytes(checked, 0);
    memcpy(file, &h, sizeof(h));
}

/* Six bytes each: where (from the start, or from the end where the tables are), what. */
static inline void
damage_change(char *file, size_t n, const uint8_t *data, size_t data_bytes)
{
    for (; data_bytes >= 6; data += 6, data_bytes -= 6) {
        size_t where = (size_t)data[0] | (size_t)data[1] << 8 | (size_t)(data[2] & 0x3f) << 16;
        size_t at = data[2] & 0x80 ? n - 1 - where % n : where % n;
        if (data[2] & 0x40)
            memset(file + at, data[3], MIN(n - at, 8));
        else
            file[at] = (char)data[3];
        if (at + 1 < n)
            file[at + 1] ^= (char)data[4];
    }
}

/* The file as it was built: what every input damages a copy of. */
static inline void
damage_read_good(struct buf *good, int fd)
{
    struct err err;
    uint64_t bytes;
    if (!fs_size(fd, &bytes, &err))
        abort();
    buf_init(good, bytes);
    char *room = buf_reserve(good, bytes);
    if (!fs_read_at(fd, room, bytes, 0, &err))
        abort();
    good->n = bytes;
}

/* A damaged copy of `good` by an input of at least one byte. */
static inline struct str
damage(struct arena *a, struct str good, const uint8_t *data, size_t n)
{
    struct str file = arena_str(a, good);
    char *bytes = (char *)file.p;
    damage_change(bytes, file.n, data + 1, n - 1);
    if (data[0] & 1)
        damage_repair(bytes, file.n);
    if (data[0] & 2)
        file.n -= MIN(file.n, (size_t)data[0] * 16);
    return file;
}
