/* The `trigrams` file of a dataset version: for each long text or list column, which rows hold
 * which three bytes in a row of the folded text (of a list: its raw text).  A needle's rows are
 * among those that hold all of its trigrams, so a search reads some kilobytes of lists and a
 * few texts instead of every text.  Nothing is answered from it that the columns file does not
 * answer too: a version without the file, or with one that shows damage, is scanned, which is
 * slower and says the same (and does not take a service down over a file it could do without).
 * Damage shows in the header, in the shape of a segment and in a list that leaves its segment.
 * A bit turned inside a list does not, since the checksum of a body costs reading all of it: it
 * hides a row, or adds one where the needle is a single trigram.
 *
 * Sections in the shared container (container.h), all numbers little-endian:
 *
 *   section  of         holds
 *   1        the file   an entry of 16 bytes per column that is indexed, ascending:
 *                          0 4 column  4 4 segments  8 8 bytes of its folded text
 *   2 + s    a column   segment s: the trigrams of a run of rows
 *
 *   segment, with G trigrams and R rows:
 *      0  8        first row, a multiple of 64: where the segment before ended
 *      8  4        R, 1 to 65,536
 *     12  4        G
 *     16  4 G      the trigrams, ascending; the first byte is the highest of the lower 24 bits
 *      .  4 (G+1)  where each list begins, in bytes behind these offsets; last, where all end
 *      .           the lists, one behind the other
 *
 *   a list is the shorter of
 *      a bitmap    ceil(R / 8) bytes, row 0 of the segment in the lowest bit of the first
 *      gaps        fewer bytes than that: for each row, ascending, the rows left out since the
 *                  one before, 7 bits per byte, lowest first, the top bit set on all but the
 *                  last byte
 *
 *   so its length says which of them it is.  Rows 0, 1, 5, 300:   00 00 03 a6 02
 *
 * Segments are made one by one, which is what bounds the memory of the builder, and in each of
 * them gaps are short and a set of rows is a few kilobytes. */
#pragma once

#include "index/columns.h"

#define TRIGRAMS_FILE_NAME "trigrams"
#define TRIGRAM_BYTES 3
/* Columns with less folded text are left to the scan, which takes 0.3 ms for so much. */
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
    uint32_t column; /* of the columns file */
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

/* Maps the file and checks header, section table and the shape of every segment; lists are
 * checked where they are used and by trigrams_verify.  A file that does not fit, in itself or
 * to `columns`, fails with code index_damaged. */
MUST_CHECK bool trigrams_open(struct arena *a, struct trigrams *out, int fd,
                              const struct columns *columns, struct err *err);
void trigrams_close(struct trigrams *trigrams); /* accepts a zeroed struct */
MUST_CHECK bool trigrams_check(int fd, uint64_t row_count, struct err *err); /* see columns.h */
/* Reads everything: body checksums, trigrams and offsets ascending, lists that end where they
 * should and name rows of their segment.  For reindex. */
MUST_CHECK bool trigrams_verify(const struct trigrams *trigrams, struct err *err);

/* NULL when the column is not in the file. */
const struct trigrams_column *trigrams_find(const struct trigrams *trigrams, size_t column);
/* Takes rows out of `candidates` that cannot contain the folded needle of TRIGRAM_BYTES or
 * more.  What stays is exactly the rows that contain a needle of TRIGRAM_BYTES; of a longer one
 * it is to be looked at row by row, and rows stay in where that is cheaper than reading one
 * more list.  False when a list is damaged: then some rows that do contain it may be gone. */
MUST_CHECK bool trigrams_narrow(const struct trigrams_column *column, struct str folded_needle,
                                struct bitmap *candidates);
/* About how many bytes trigrams_narrow reads: to put searches in order. */
uint64_t trigrams_cost(const struct trigrams_column *column, struct str folded_needle);

/* Whether some column has at least text_bytes_min of folded text. */
bool trigrams_are_wanted(const struct columns *columns, uint64_t text_bytes_min);
/* Writes the file from a finished columns file.  `fd` is open for reading and writing, empty,
 * and stays the caller's.  Works on up to four threads, the caller's among them, each holding
 * the trigrams of one segment (about its text again).  Does not fsync.  `is_unwanted`, when not
 * NULL, may become true meanwhile: fails with code cancelled. */
MUST_CHECK bool trigrams_build(int fd, const struct columns *columns, uint64_t text_bytes_min,
                               const _Atomic bool *is_unwanted, struct err *err);
