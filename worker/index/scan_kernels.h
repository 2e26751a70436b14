/* The inner loops of the scans, each in a portable form and, where it is compiled in and the
 * CPU allows, an AVX2 form; both give the same result.  Private to index/ and to its tests. */
#pragma once

#include "base/str.h"

/* A needle, and the places of the two of its bytes that are rarest in the haystack: a position
 * is compared in full only where both match. */
struct scan_needle {
    struct str bytes; /* not empty */
    size_t first, second;
};

struct scan_triples;

struct scan_kernels {
    /* Offset of the first occurrence that begins at `from` or later, or SIZE_MAX. */
    size_t (*find)(struct str haystack, size_t from, const struct scan_needle *needle);
    /* Sets the bit of each of `count` values with lo <= value <= hi, unless its bit in `nulls`
     * is set (`nulls` may be NULL); other bits of `words` are kept. */
    void (*int_range)(const int64_t *values, const uint64_t *nulls, uint64_t count, int64_t lo,
                      int64_t hi, uint64_t *words);
    void (*real_range)(const double *values, const uint64_t *nulls, uint64_t count, double lo,
                       double hi, uint64_t *words);
    /* scan_triples of scan.h. */
    void (*triples)(const struct scan_triples *triples, const uint8_t *text, size_t n,
                    uint64_t *words);
};

extern const struct scan_kernels SCAN_PORTABLE;
/* NULL when this build or this CPU has no AVX2. */
const struct scan_kernels *scan_kernels_avx2(void);

/* `haystack` is used only for its byte frequencies. */
struct scan_needle scan_needle_make(struct str haystack, struct str needle);
