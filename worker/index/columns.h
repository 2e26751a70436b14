/* The `columns` file of a dataset version: every column contiguous, for scans, sorting and
 * statistics.  Immutable once written; can be rebuilt from rows.db.  Sections in the shared
 * container (container.h), all numbers little-endian:
 *
 *   section  of              holds
 *   1        the file        an entry of 40 bytes per column:
 *                               0 4 type  4 4 has range  8 8 nulls  16 8 distinct
 *                              24 8 min  32 8 max (int64, or the bits of a double)
 *   2        integral        int64[rows], 0 where null
 *            real            double[rows], 0 where null
 *   3        integral, real  bitmap of nulls, uint64[(rows + 63) / 64]; absent when no value is
 *                            null
 *   4        text, list      folded bytes of all cells end to end (list: of the raw text)
 *   5        text, list      uint64[rows + 1] offsets into 4
 *   6        text, list      uint64[rows] order prefixes
 *   7        list            original bytes of the distinct elements end to end
 *   8        list            uint64[elements + 1] offsets into 7
 *   9, 10    list            the same for their folded bytes
 *   11       list            uint32 element ids of all rows end to end
 *   12       list            uint64[rows + 1] offsets into 11, in ids
 *   13       text, list      uint64[rows] hashes of the text before folding, with a seed that
 *                            is not stored: within a column, equal texts have equal hashes
 *
 * An order prefix is the first 8 folded bytes, big-endian, zero-padded: comparing prefixes as
 * numbers orders cells as memcmp does, and only equal prefixes need the bytes.  Row r of the
 * file is rowid r + 1 in rows.db. */
#pragma once

#include "base/fs.h"
#include "base/value.h"
#include "index/bitmap.h"

#define COLUMNS_FILE_NAME "columns"

struct column {
    enum column_type type;
    uint64_t row_count;
    struct column_summary summary;
    const struct column_layout *layout; /* only for index/: read by block.h, or below */
};

struct columns {
    struct fs_map map;
    struct column *columns; /* in the arena given to columns_open */
    size_t column_count;
    uint64_t row_count;
};

/* Maps the file and checks header, section table and the size of every section; contents are
 * checked by columns_verify.  The functions below stay inside the map whatever the sections
 * contain.  A file that does not pass fails with code index_damaged (503). */
MUST_CHECK bool columns_open(struct arena *a, struct columns *out, int fd, struct err *err);
void columns_close(struct columns *columns); /* accepts a zeroed struct */
/* Reads the file on disk, without a map: checks that every section has the bytes that were
 * written, and that the file has `row_count` rows.  See container_check. */
MUST_CHECK bool columns_check(int fd, uint64_t row_count, struct err *err);
/* Reads everything: section checksums, offsets ascending and inside, ids below count, bits
 * beyond the last row zero.  For a file that was just built; columns_check tells whether an
 * older one still has the bytes that were built. */
MUST_CHECK bool columns_verify(const struct columns *columns, struct err *err);

/* Single rows, for those who look here and there; block.h reads many. */
bool column_has_nulls(const struct column *c);         /* text has none, a list may be empty */
uint64_t column_text_bytes(const struct column *c);    /* folded, of all rows */
uint32_t column_element_count(const struct column *c); /* distinct ones, by original bytes */
struct value column_number(const struct column *c, uint64_t row); /* integral types, real */
struct str column_text(const struct column *c, uint64_t row);     /* folded */
/* The folded bytes of the rows from `from` to before `to`, end to end. */
struct str column_texts(const struct column *c, uint64_t from, uint64_t to);
struct str column_element(const struct column *c, uint32_t id); /* original */
struct str column_element_folded(const struct column *c, uint32_t id);
/* The element ids of a row of a list column, each below column_element_count in a verified
 * file. */
const uint32_t *column_element_ids(const struct column *c, uint64_t row, size_t *out_count);
bool column_is_null(const struct column *c, uint64_t row);
/* The numbers of the rows that are not null, int64 or double by the type; gives how many. */
size_t column_gather(const struct column *c, const uint32_t *rows, size_t count, uint64_t *out);
/* Order of two rows by value: <0, 0, >0.  The caller must handle nulls. */
int column_compare(const struct column *c, uint64_t a, uint64_t b);

/* Writing.  Memory is bounded, because text is written directly to its reserved place in the
 * file; so the caller gives an upper bound of each textual column's folded bytes (the raw
 * bytes where all is ASCII, else raw * 3 / 2).  The unused end of a place is a hole and takes
 * no disk. */
struct columns_spec {
    enum column_type type;
    uint64_t text_bytes_max; /* folded */
};
/* `fd` is open for reading and writing, empty, and stays the caller's. */
struct columns_builder; /* made by columns_build_begin, freed by _finish or _cancel */
MUST_CHECK struct columns_builder *columns_build_begin(int fd, const struct columns_spec *specs,
                                                       size_t column_count,
                                                       uint64_t row_count_max, struct err *err);
/* Adds a row, one value per column; text is valid UTF-8.  After a failure, call only _cancel.
 */
MUST_CHECK bool columns_build_add(struct columns_builder *b, const struct value *row,
                                  struct err *err);
/* Writes what is buffered and the section table; does not fsync.  `summaries` has room for
 * column_count.  Frees the builder, also on failure. */
MUST_CHECK bool columns_build_finish(struct columns_builder **b,
                                     struct column_summary *summaries, struct err *err);
void columns_build_cancel(struct columns_builder **b); /* accepts NULL */
