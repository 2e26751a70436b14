/* Rows by the value of the key column: a hash table of row numbers, made on the first lookup
 * and kept with the opened version.  8 to 16 bytes per row and worker, against a scan of the
 * column per lookup (13 microseconds for 90,000 rows, half of what such a request costs in
 * all).  Not a file, since a worker that is never asked for a key then pays nothing.
 * Not base/table, which keeps hashes: 11 to 21 bytes a row, and a million rows take 90 ms to
 * enter instead of 55. */
#pragma once

#include "index/columns.h"

struct key_index { /* zeroed: not made yet */
    struct arena arena;
    uint32_t *slots; /* row + 1; 0: free; a power of two of them, at most half in use */
    uint64_t mask;
};
void embedded_key_index_build(struct key_index *index, const struct column *c);
void embedded_key_index_free(struct key_index *index); /* accepts a zeroed struct */

/* The candidates of a hash, in no order; the caller compares their values.
 *     uint64_t at = 0, row;
 *     while (embedded_key_index_next(index, hash, &at, &row)) ... */
bool embedded_key_index_next(const struct key_index *index, uint64_t hash, uint64_t *at,
                             uint64_t *row);

uint64_t embedded_key_hash_int(int64_t v);
uint64_t embedded_key_hash_real(double v); /* the two zeros are one */
uint64_t embedded_key_hash_text(struct str folded);
