/* What the reader and the builder of the columns file share; the drawing is in columns.h. */
#pragma once

#include "index/columns.h"

#define COLUMNS_KIND "columns"
#define COLUMNS_VERSION 1

enum columns_section {
    SECTION_COLUMNS = 1,
    SECTION_VALUES = 2,
    SECTION_NULLS = 3,
    SECTION_TEXT = 4,
    SECTION_OFFSETS = 5,
    SECTION_PREFIXES = 6,
    SECTION_ELEMENTS = 7,
    SECTION_ELEMENT_OFFSETS = 8,
    SECTION_FOLDED_ELEMENTS = 9,
    SECTION_FOLDED_OFFSETS = 10,
    SECTION_IDS = 11,
    SECTION_ROW_OFFSETS = 12,
    SECTION_HASHES = 13,
};

struct columns_entry {
    uint32_t type; /* enum column_type */
    uint32_t has_range;
    uint64_t null_count;
    uint64_t distinct_count;
    union {
        int64_t i;
        double d;
    } min, max;
};
static_assert(sizeof(struct columns_entry) == 40, "drawn in columns.h");

/* The order prefix of folded text; only its first 8 bytes matter. */
static inline uint64_t
columns_prefix(struct str folded)
{
    uint64_t v = 0;
    if (folded.n)
        __builtin_memcpy(&v, folded.p, MIN(folded.n, sizeof(v)));
    return __builtin_bswap64(v);
}
