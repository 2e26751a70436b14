/* The container of every derived index file (columns, trigrams, tfidf): named sections at fixed
 * places, each with its checksum, so that a file cut short, written half or turned by a disk
 * is refused and built again.  All numbers are little-endian.
 *
 *   byte 0   8  magic            "PMINDEX\n"
 *        8   8  kind             "columns\0": which file this is
 *       16   4  format version   of that kind; another one is refused
 *       20   4  section count
 *       24   8  row count        of the dataset version
 *       32   8  table offset     multiple of 64
 *       40   8  file bytes       the whole file: a shorter or longer one is refused
 *       48   8  table checksum
 *       56   8  header checksum  of bytes 0-55
 *       64      sections, each at a multiple of 64, in any order, with holes between them
 *    table      section count entries, ascending by (column, kind), no two alike:
 *                  0  4  kind      what the section holds; the file's own header names them
 *                  4  4  column    or CONTAINER_NO_COLUMN
 *                  8  8  offset    from the file's start
 *                 16  8  bytes     without the hole behind them
 *                 24  8  checksum  of those bytes
 *
 * Checksums are those of checksum.h, but for the header's, which is one hash_bytes.  Opening
 * checks header and table; the bodies are checked by container_check, which the service runs
 * over every file at its start and on a schedule (catalogue/integrity), and by container_verify.
 * The header is written last: a file that was not finished has none. */
#pragma once

#include "base/checksum.h"

#define CONTAINER_ALIGN 64
#define CONTAINER_NO_COLUMN UINT32_MAX

struct container_section {
    uint32_t kind;
    uint32_t column;
    uint64_t offset;
    uint64_t bytes;
    uint64_t checksum;
};

/* Reading. */
struct container {
    struct str file;
    const struct container_section *sections; /* in the file */
    size_t section_count;
    uint64_t row_count;
};

/* `file` is the mapped file, aligned like a page, and stays the caller's.  Fails with code
 * index_damaged when anything but the bodies is wrong; after that every section lies inside the
 * file. */
MUST_CHECK bool container_open(struct container *out, struct str file, const char *kind,
                               uint32_t version, struct err *err);
/* The bytes of a section; {NULL, 0} when there is none. */
struct str container_find(const struct container *c, uint32_t kind, uint32_t column);
/* The same, and every section read and compared with its checksum, all by read: a file that the
 * disk does not give, or that shrinks meanwhile, fails and does not end the process.  What no
 * reader looks at (holes) is not looked at. */
MUST_CHECK bool container_check(int fd, const char *kind, uint32_t version, uint64_t row_count,
                                struct err *err);
/* Reads every section and compares its checksum. */
MUST_CHECK bool container_verify(const struct container *c, struct err *err);
/* The same for one section of a file just opened, for small ones that steer the reader. */
MUST_CHECK bool container_verify_section(const struct container *c, uint32_t kind,
                                         uint32_t column, struct err *err);
/* Returns false: the failure of whoever finds a section that does not fit. */
bool container_damaged(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Writing.  Sections are reserved with an upper bound and filled through streams, or written
 * whole behind what is reserved. */
struct container_writer {
    int fd;       /* the caller's, open for reading and writing, empty */
    uint64_t end; /* where the next section goes; the file's size at last */
    struct container_section *sections;
    size_t section_count, section_cap;
};
void container_writer_init(struct container_writer *w, int fd);
void container_writer_free(struct container_writer *w); /* accepts a zeroed struct */
/* An aligned place for up to `bytes`; what is not used of it stays a hole. */
uint64_t container_reserve(struct container_writer *w, uint64_t bytes);
void container_add_section(struct container_writer *w, struct container_section section);
/* A whole section behind all others. */
MUST_CHECK bool container_write_section(struct container_writer *w, uint32_t kind,
                                        uint32_t column, struct str bytes, struct err *err);
/* Table, size and, last, the header.  Does not fsync. */
MUST_CHECK bool container_finish(struct container_writer *w, const char *kind, uint32_t version,
                                 uint64_t row_count, struct err *err);

/* One section being written in order through a buffer to its reserved place. */
struct container_stream {
    int fd;
    uint64_t offset;    /* of the place */
    uint64_t bytes_max; /* of the place */
    uint64_t written;   /* bytes in the file: whole checksum blocks until the end */
    uint64_t checksum;
    char *buffer;
    size_t n, cap; /* bytes in the buffer; at least 4 checksum blocks */
};
/* `cap` bytes of buffer, at least CONTAINER_STREAM_BUFFER_MIN. */
#define CONTAINER_STREAM_BUFFER_MIN ((size_t)4 * CHECKSUM_BLOCK)
/* After any stream call without a failure between, this much room can be asked for. */
#define CONTAINER_STREAM_ROOM_MIN ((size_t)3 * CHECKSUM_BLOCK)
void container_stream_init(struct container_stream *s, struct container_writer *w,
                           uint64_t bytes_max, size_t cap);
void container_stream_free(struct container_stream *s); /* accepts a zeroed struct */
/* Writes the whole blocks of the buffer out. */
MUST_CHECK bool container_stream_flush(struct container_stream *s, struct err *err);
/* Everything is in the file after this, and nothing may be added. */
MUST_CHECK bool container_stream_end(struct container_stream *s, struct err *err);
struct container_section container_stream_section(const struct container_stream *s,
                                                  uint32_t kind, uint32_t column);

static inline uint64_t
container_stream_bytes(const struct container_stream *s)
{
    return s->written + s->n;
}

/* A flush leaves less than a block behind, so small things always fit after one. */
MUST_CHECK static inline bool
container_stream_ensure(struct container_stream *s, size_t bytes, struct err *err)
{
    return s->cap - s->n >= bytes || container_stream_flush(s, err);
}

MUST_CHECK static inline bool
container_stream_add_u64(struct container_stream *s, uint64_t v, struct err *err)
{
    if (!container_stream_ensure(s, sizeof(v), err))
        return false;
    __builtin_memcpy(s->buffer + s->n, &v, sizeof(v));
    s->n += sizeof(v);
    return true;
}

MUST_CHECK static inline bool
container_stream_add_u32(struct container_stream *s, uint32_t v, struct err *err)
{
    if (!container_stream_ensure(s, sizeof(v), err))
        return false;
    __builtin_memcpy(s->buffer + s->n, &v, sizeof(v));
    s->n += sizeof(v);
    return true;
}
