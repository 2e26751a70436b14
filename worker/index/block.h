/* How columns are read by whoever computes with them: up to 1,024 rows of one at a time, in the
 * form that is asked for, whatever the file keeps.  On the present layout a block is pointers
 * into the map, so that nothing is copied; a layout that has to be decoded gets its room in the
 * reader, and those who read do not notice.
 *
 *     struct block_reader ints = block_reader_of(column, BLOCK_INTS);
 *     for (uint64_t row = 0; row < column->row_count; row += BLOCK_ROWS)
 *         sum += sum_of(block_at(&ints, row));
 *
 * Rows that are picked go by block_int and its like, which read the next block when a row is
 * outside of the one at hand: for rows in ascending order.  Rows here and there, as of a sort,
 * have the readers of single rows in columns.h. */
#pragma once

#include "index/columns.h"

#define BLOCK_ROWS                                                                             \
    1024 /* 16 words of a bitmap; their values are 8 KiB, a part of any L1 cache */

enum block_form {
    BLOCK_INTS,     /* integral types: int64, 0 where null */
    BLOCK_REALS,    /* real: double, 0 where null */
    BLOCK_TEXTS,    /* text, list: folded bytes end to end */
    BLOCK_PREFIXES, /* text, list: order prefixes (columns.h) */
    BLOCK_HASHES,   /* text, list: of the text before folding (columns.h) */
    BLOCK_IDS,      /* list: element ids end to end */
};

struct block {
    uint64_t first;        /* row; of a column's block a multiple of BLOCK_ROWS */
    size_t count;          /* rows: BLOCK_ROWS but at the end of the column */
    const uint64_t *nulls; /* bitmap of these rows; NULL: none of the column is null */
    union {
        const int64_t *ints;
        const double *reals;
        const uint64_t *words; /* prefixes, hashes; and ints and reals by their bits */
    };
    struct str bytes; /* texts */
    const uint32_t *ids;
    uint64_t id_count;
    /* Texts: count + 1, and offsets[0] stands for the beginning of `bytes`.  Ids: count + 1
     * into `ids`.  They ascend unless the file is damaged; what reads them clamps. */
    const uint64_t *offsets;
};

struct block_reader {
    const struct column *column;
    enum block_form form;
    struct block block; /* at hand; no rows: none yet */
};

/* The column has that form. */
struct block_reader block_reader_of(const struct column *c, enum block_form form);
/* The form in which equal values are equal words: ints, reals or hashes. */
enum block_form block_value_form(const struct column *c);
/* For block_at. */
void block_read(struct block_reader *r, uint64_t row);
/* The distinct elements of a list column, folded, as one block of texts by id. */
struct block block_of_elements(const struct column *c);

/* All below are here because they stand in innermost loops. */

/* The block of a row, which is below row_count; until the next call with this reader. */
static inline const struct block *
block_at(struct block_reader *r, uint64_t row)
{
    if (row - r->block.first >= r->block.count)
        block_read(r, row);
    return &r->block;
}

static inline bool
block_is_null(struct block_reader *r, uint64_t row)
{
    const struct block *b = block_at(r, row);
    uint64_t i = row - b->first;
    return b->nulls && b->nulls[i / 64] >> i % 64 & 1;
}

static inline int64_t
block_int(struct block_reader *r, uint64_t row)
{
    const struct block *b = block_at(r, row);
    return b->ints[row - b->first];
}

static inline double
block_real(struct block_reader *r, uint64_t row)
{
    const struct block *b = block_at(r, row);
    return b->reals[row - b->first];
}

static inline uint64_t
block_word(struct block_reader *r, uint64_t row)
{
    const struct block *b = block_at(r, row);
    return b->words[row - b->first];
}

/* Where the text of the block's row `i` ends in `bytes`; it begins where the one before
 * ends. */
static inline size_t
block_text_end(const struct block *b, size_t i)
{
    return MIN(b->offsets[i + 1] - b->offsets[0], b->bytes.n);
}

static inline struct str
block_text(const struct block *b, size_t i)
{
    size_t end = block_text_end(b, i), from = MIN(b->offsets[i] - b->offsets[0], end);
    return (struct str){b->bytes.p + from, end - from};
}

/* As column_element_ids. */
static inline const uint32_t *
block_ids(struct block_reader *r, uint64_t row, size_t *count)
{
    const struct block *b = block_at(r, row);
    const uint64_t *offsets = b->offsets + (row - b->first);
    uint64_t to = MIN(offsets[1], b->id_count), from = MIN(offsets[0], to);
    *count = to - from;
    return b->ids + from;
}
