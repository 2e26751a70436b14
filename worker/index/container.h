/* The container of every derived index file (columns, trigrams, tfidf): sections, each with its
 * checksum, so that a truncated, half-written or corrupted file is refused and rebuilt.  All
 * numbers are little-endian.
 *
 *   byte 0   8  magic            "PMINDEX\n"
 *        8   8  kind             "columns\0": which file this is
 *       16   4  format version   of that kind; any other is refused
 *       20   4  section count
 *       24   8  row count        of the dataset version
 *       32   8  table offset     multiple of 64
 *       40   8  file bytes       size of the whole file; another size is refused
 *       48   8  table checksum
 *       56   8  header checksum  of bytes 0-55
 *       64      sections, each at a multiple of 64, in any order, with holes between them
 *    table      section count entries, ascending by (column, kind), each pair once:
 *                  0  4  kind      what the section holds; defined in the file kind's header
 *                  4  4  column    or CONTAINER_NO_COLUMN
 *                  8  8  offset    from the file's start
 *                 16  8  bytes     without the hole after them
 *                 24  8  checksum  of those bytes
 *
 * Checksums are those of checksum.h, except for the header's, which is one hash_bytes.  Opening
 * checks header and table.  Sections are checked by container_verify, and by container_check,
 * which the service runs over every file at its start and on a schedule (catalogue/integrity).
 * The header is written last: an unfinished file has none. */
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

/* `file` is the mapped file, page-aligned, and stays the caller's.  Fails with code
 * index_damaged when anything but the contents of sections is wrong; after success every
 * section lies inside the file. */
MUST_CHECK bool container_open(struct container *out, struct str file, const char *kind,
                               uint32_t version, struct err *err);
/* The bytes of a section; {NULL, 0} when there is none. */
struct str container_find(const struct container *c, uint32_t kind, uint32_t column);
/* container_open, and then compares every section with its checksum, all with pread: a read
 * error, or a file that shrinks meanwhile, fails this function, where a map would raise SIGBUS.
 * Holes are not read. */
MUST_CHECK bool container_check(int fd, const char *kind, uint32_t version, uint64_t row_count,
                                struct err *err);
/* Reads every section and compares its checksum. */
MUST_CHECK bool container_verify(const struct container *c, struct err *err);
/* The same for one section of a file just opened, for small ones that steer the reader. */
MUST_CHECK bool container_verify_section(const struct container *c, uint32_t kind,
                                         uint32_t column, struct err *err);
/* Sets err to index_damaged with the message, and returns false. */
bool container_damaged(struct err *err, const char *fmt, ...) PRINTF(2, 3);

/* Writing.  A section is reserved with an upper bound and filled through a stream, or written
 * whole after all that is reserved. */
struct container_writer {
    int fd;       /* the caller's, open for reading and writing, empty */
    uint64_t end; /* where the next section goes; at the end, the file's size */
    struct container_section *sections;
    size_t section_count, section_cap;
};
void container_writer_init(struct container_writer *w, int fd);
void container_writer_free(struct container_writer *w); /* accepts a zeroed struct */
/* Reserves an aligned place for up to `bytes` and returns its offset; unused bytes are a hole.
 */
uint64_t container_reserve(struct container_writer *w, uint64_t bytes);
void container_add_section(struct container_writer *w, struct container_section section);
/* Writes a whole section after all others. */
MUST_CHECK bool container_write_section(struct container_writer *w, uint32_t kind,
                                        uint32_t column, struct str bytes, struct err *err);
/* Writes the table, sets the file's size and, last, writes the header.  Does not fsync. */
MUST_CHECK bool container_finish(struct container_writer *w, const char *kind, uint32_t version,
                                 uint64_t row_count, struct err *err);

/* One section, written in order through a buffer to its reserved place. */
struct container_stream {
    int fd;
    uint64_t offset;    /* of the place */
    uint64_t bytes_max; /* of the place */
    uint64_t written;   /* bytes in the file; whole checksum blocks until _end */
    uint64_t checksum;
    char *buffer;
    size_t n, cap; /* bytes in the buffer; at least 4 checksum blocks */
};
/* The buffer has `cap` bytes, at least CONTAINER_STREAM_BUFFER_MIN. */
#define CONTAINER_STREAM_BUFFER_MIN ((size_t)4 * CHECKSUM_BLOCK)
/* The most that container_stream_ensure can be asked for. */
#define CONTAINER_STREAM_ROOM_MIN ((size_t)3 * CHECKSUM_BLOCK)
/* Reserves the place, and allocates a buffer of about `cap` bytes. */
void container_stream_init(struct container_stream *s, struct container_writer *w,
                           uint64_t bytes_max, size_t cap);
void container_stream_free(struct container_stream *s); /* accepts a zeroed struct */
/* Writes the whole blocks of the buffer to the file. */
MUST_CHECK bool container_stream_flush(struct container_stream *s, struct err *err);
/* Writes the rest of the buffer; nothing may be added afterwards. */
MUST_CHECK bool container_stream_end(struct container_stream *s, struct err *err);
/* The stream's entry for container_add_section; after container_stream_end. */
struct container_section container_stream_section(const struct container_stream *s,
                                                  uint32_t kind, uint32_t column);

static inline uint64_t
container_stream_bytes(const struct container_stream *s)
{
    return s->written + s->n;
}

/* Makes room in the buffer.  A flush leaves less than a block, so CONTAINER_STREAM_ROOM_MIN
 * always fits. */
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
