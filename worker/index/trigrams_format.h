/* What the reader and the builder of the trigrams file share; the drawing is in trigrams.h. */
#pragma once

#include "index/trigrams.h"

#define TRIGRAMS_KIND "trigrams"
#define TRIGRAMS_VERSION 1

enum trigrams_section {
    TRIGRAMS_SECTION_COLUMNS = 1,
    TRIGRAMS_SECTION_SEGMENT = 2, /* and up */
};

#define TRIGRAMS_SEGMENT_ROWS_MAX 65536
#define TRIGRAMS_SEGMENT_WORDS (TRIGRAMS_SEGMENT_ROWS_MAX / 64)
#define TRIGRAM_COUNT (1U << 24) /* different trigrams */

struct trigrams_entry {
    uint32_t column;
    uint32_t segment_count;
    uint64_t text_bytes;
};
static_assert(sizeof(struct trigrams_entry) == 16, "drawn in trigrams.h");

struct trigrams_segment_header {
    uint64_t first_row;
    uint32_t row_count;
    uint32_t gram_count;
};
static_assert(sizeof(struct trigrams_segment_header) == 16, "drawn in trigrams.h");

/* The trigram that begins at p. */
static inline uint32_t
trigram_at(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static inline size_t
trigrams_bitmap_bytes(uint32_t row_count)
{
    return ((size_t)row_count + 7) / 8;
}
