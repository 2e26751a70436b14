/* Damage to an index file as a fuzzer's input says it: small changes, each put where the input
 * chooses; half of the inputs also have their checksums made right again, so that the checks
 * behind them are reached; some are cut short. */
#pragma once

#include "base/arena.h"
#include "base/fs.h"
#include "base/hash.h"
#include "index/container.h"
#include "index/container_format.h"
#include "memory_file.h"

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
damage_change(char *file, size_t n, struct str input)
{
    for (; input.n >= 6; input = str_skip(input, 6)) {
        const uint8_t *change = (const uint8_t *)input.p;
        size_t where =
            (size_t)change[0] | (size_t)change[1] << 8 | (size_t)(change[2] & 0x3f) << 16;
        size_t at = change[2] & 0x80 ? n - 1 - where % n : where % n;
        if (change[2] & 0x40)
            memset(file + at, change[3], MIN(n - at, 8));
        else
            file[at] = (char)change[3];
        if (at + 1 < n)
            file[at + 1] ^= (char)change[4];
    }
}

/* A damaged copy of the file that `build` fills, which is made by the first call. */
static inline int
damaged_file(struct arena *a, void (*build)(int fd), struct str input)
{
    static struct buf good;
    if (!good.p) {
        struct err err;
        uint64_t bytes;
        scoped_fd fd = memory_file(STR(""));
        build(fd);
        bool ok = fs_size(fd, &bytes, &err);
        assert(ok);
        buf_init(&good, bytes);
        ok = fs_read_at(fd, buf_reserve(&good, bytes), bytes, 0, &err);
        assert(ok);
        good.n = bytes;
    }
    struct str file = arena_str(a, buf_str(&good));
    unsigned how = input.n ? (unsigned char)input.p[0] : 0;
    damage_change((char *)file.p, file.n, str_skip(input, 1));
    if (how & 1)
        damage_repair((char *)file.p, file.n);
    if (how & 2)
        file.n -= MIN(file.n, (size_t)how * 16);
    return memory_file(file);
}
