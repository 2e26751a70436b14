/* The `trigrams` file of a dataset version: for each long text or list column, which rows
 * contain which three consecutive bytes of folded text (of a list: of its raw text).  The rows
 * that contain a needle are among those that contain all of its trigrams, so a search reads
 * some kilobytes of lists and a few texts instead of every text.
 *
 * The file only saves time: a version without it, or with one that is found damaged, is
 * scanned, which is slower and gives the same answer.  Damage is noticed in the header, in the
 * layout of a segment, and in a list that leaves its segment.  A flipped bit inside a list is
 * not noticed here, since the section's checksum would cost reading all of it: such a bit
 * hides a row, or adds one when the needle is a single trigram.  trigrams_check finds it.
 *
 * Sections in the shared container (container.h), all numbers little-endian:
 *
 *   section  of         holds
 *   1        the file   an entry of 16 bytes per indexed column, ascending:
 *                          0 4 column  4 4 segments  8 8 bytes of its folded text
 *   2 + s    a column   segment s: the trigrams of a run of rows
 *
 *   segment, with G trigrams and R rows:
 *      0  8        first row, a multiple of 64: where the previous segment ended
 *      8  4        R, 1 to 65,536
 *     12  4        G
 *     16  4 G      the trigrams, ascending; the first byte is the highest of the lower 24 bits
 *      .  4 (G+1)  where each list begins, in bytes after these offsets; last, where all end
 *      .           the lists, end to end
 *
 *   a list is the shorter of
 *      a bitmap    ceil(R / 8) bytes, row 0 of the segment in the lowest bit of the first
 *      gaps        fewer bytes than that: for each row, ascending, how many rows were skipped
 *                  since the one before, 7 bits per byte, lowest first, the top bit set on all
 *                  but the last byte
 *
 *   so its length tells which of the two it is.  Rows 0, 1, 5, 300:   00 00 03 a6 02
 *
 * Segments are built one at a time, which bounds the memory of the builder; within one, gaps
 * are short and a set of rows is a few kilobytes. */
#pragma once

#include "index/columns.h"

#define TRIGRAMS_FILE_NAME "trigrams"
#define TRIGRAM_BYTES 3
/* Columns with less folded text are not indexed: scanning that much takes 0.3 ms. */
#define TRIGRAMS_TEXT_BYTES_MIN (4 * MIB)

struct trigrams_segment {
    uint64_t first_row;
    uint32_t row_count;
    uint32_t gram_count;
    const uint32_t *grams;
    const uint32_t *offsets; /* gram_count + 1, into lists */
    struct str lists;
};

struct trigrams_column {
    uint32_t column; /* index in the columns file */
    uint64_t text_bytes;
    struct trigrams_segment *segments; /* cover all rows, in order */
    size_t segment_count;
};

struct trigrams {
    struct fs_map map;
    struct trigrams_column *columns; /* in the arena given to trigrams_open */
    size_t column_count;
    uint64_t row_count;
};

/* Maps the file and checks header, section table and the layout of every segment; lists are
 * checked when they are used, and by trigrams_verify.  A file that is damaged, or does not
 * match `columns`, fails with code index_damaged. */
MUST_CHECK bool trigrams_open(struct arena *a, struct trigrams *out, int fd,
                              const struct columns *columns, struct err *err);
void trigrams_close(struct trigrams *trigrams); /* accepts a zeroed struct */
MUST_CHECK bool trigrams_check(int fd, uint64_t row_count, struct err *err); /* see columns.h */
/* Reads everything: section checksums, trigrams and offsets ascending, lists that end where
 * they should and contain only rows of their segment.  For reindex. */
MUST_CHECK bool trigrams_verify(const struct trigrams *trigrams, struct err *err);

/* NULL when the column is not in the file. */
const struct trigrams_column *trigrams_find(const struct trigrams *trigrams, size_t column);
/* Removes from `candidates` rows that cannot contain the folded needle, which has at least
 * TRIGRAM_BYTES.  For a needle of exactly TRIGRAM_BYTES, the rows that are left do contain it.
 * For a longer one the caller must test each row that is left; where testing is cheaper than
 * reading another list, rows that could be removed are left.  False when a list is damaged:
 * rows that contain the needle may then have been removed. */
MUST_CHECK bool trigrams_narrow(const struct trigrams_column *column, struct str folded_needle,
                                struct bitmap *candidates);
/* About how many bytes trigrams_narrow reads; used to order the predicates of a filter. */
uint64_t trigrams_cost(const struct trigrams_column *column, struct str folded_needle);

/* Does some column have at least text_bytes_min of folded text? */
bool trigrams_are_wanted(const struct columns *columns, uint64_t text_bytes_min);
/* Writes the file from a finished columns file.  `fd` is open for reading and writing, empty,
 * and stays the caller's.  Works on up to four threads, the caller's included, each of which
 * holds the trigrams of one segment (about as much memory as its text).  Does not fsync.
 * `is_unwanted`, when not NULL, may become true meanwhile: the build then fails with code
 * cancelled. */
MUST_CHECK bool trigrams_build(int fd, const struct columns *columns, uint64_t text_bytes_min,
                               const _Atomic bool *is_unwanted, struct err *err);
