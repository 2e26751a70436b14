/* Where the values of a column lie in its file.  Only for what reads columns on behalf of all
 * others: columns.h by single rows, block.h by blocks.  What leads on, offsets and ids, is
 * clamped when it is read: the file may be damaged. */
#pragma once

#include "index/columns.h"

struct column_layout {
    const uint64_t *nulls; /* as words of a bitmap; NULL when there are none */
    const int64_t *ints;   /* integral types; 0 where null */
    const double *reals;   /* real; 0 where null */
    struct {
        struct str bytes;         /* folded */
        const uint64_t *offsets;  /* row_count + 1, ascending, the last is bytes.n */
        const uint64_t *prefixes; /* row_count */
        const uint64_t *hashes;   /* row_count, of the text before folding: to count distinct */
    } text;
    struct {
        uint32_t count;          /* distinct elements, by original bytes */
        struct str bytes;        /* original */
        const uint64_t *offsets; /* count + 1 */
        struct str folded_bytes;
        const uint64_t *folded_offsets; /* count + 1 */
        const uint32_t *ids; /* of all rows end to end, in cell order, repeats kept */
        uint64_t id_count;
        const uint64_t *row_offsets; /* row_count + 1, into ids */
    } list;
};
