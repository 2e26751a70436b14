/* The lists of one segment of the trigrams file while it is made.  What a trigram of the text
 * costs is all that matters, and nearly all of them are a few thousand common ones, found by a
 * sample.  Those only set a bit, which needs no question whether it is set; the others are
 * appended to their list unless this row is what stands there last:
 *
 *                      common   a bit in the row's set  --64 rows transposed at once-->  bitmaps
 *   trigram --numbers-->
 *                      others   { last row, first chunk, end, bytes }
 *                                                  |
 *                 chunk of 16 bytes:  | 12 bytes of gaps | next chunk |---> ...
 *
 * (125 MB of English, CPU time: 1.1 s with lists for all of them, 0.5 s so.)  Numbers are given
 * in the order of first appearance, for all threads, so that the tables are as short as the
 * text is poor in trigrams.  Against counting first and filling later, which would read every
 * text twice, chunks cost a third more memory for a while.  Inside index/ only. */
#pragma once

#include "index/trigrams_format.h"

#include <pthread.h>

/* The bitmaps of the common ones, 8 MiB per thread at most.  A word of each is written in turn:
 * with an odd number of words to a bitmap they do not meet in one set of the cache, as they did
 * with 512. */
#define TRIGRAMS_MAKE_ROWS_MAX (255 * 64)
static_assert(TRIGRAMS_MAKE_ROWS_MAX <= TRIGRAMS_SEGMENT_ROWS_MAX, "fits the format");
#define TRIGRAMS_COMMON_COUNT 4096
#define TRIGRAMS_COMMON_WORDS (TRIGRAMS_COMMON_COUNT / 64)

/* Shared by all threads. */
struct trigrams_numbers {
    /* By trigram; 0: none yet.  Up to TRIGRAMS_COMMON_COUNT those of `common`, from 1. */
    _Atomic uint32_t *ids;
    uint32_t last;                          /* given */
    uint32_t common[TRIGRAMS_COMMON_COUNT]; /* trigrams */
    uint32_t common_count;
    pthread_mutex_t mutex; /* over `last` */
};
void trigrams_numbers_init(struct trigrams_numbers *numbers);
void trigrams_numbers_free(struct trigrams_numbers *numbers);
/* By a sample of the texts; once, before any thread is started. */
void trigrams_numbers_choose(struct trigrams_numbers *numbers, const struct str *texts,
                             size_t text_count);

struct trigrams_list {
    uint32_t last;  /* row of the segment, from 1; 0: the list is empty */
    uint32_t first; /* chunk */
    uint32_t end;   /* where the next byte goes */
    uint32_t bytes;
};

/* Of one thread. */
struct trigrams_maker {
    struct trigrams_numbers *numbers;
    struct trigrams_list *lists; /* by number */
    char *chunks;
    size_t chunks_bytes, chunks_cap;
    /* The common trigrams of the rows under way. */
    uint64_t rows[64][TRIGRAMS_COMMON_WORDS];
    uint64_t *bitmaps;  /* of common trigrams, word_count each */
    size_t word_count;  /* of a set of the segment's rows */
    uint32_t row_count; /* of the segment */
    uint64_t *used;     /* trigram << 32 | number, of the lists that are not empty */
    size_t used_count, used_cap;
};
void trigrams_maker_init(struct trigrams_maker *m, struct trigrams_numbers *numbers);
void trigrams_maker_free(struct trigrams_maker *m);
/* A segment: its rows in order, each once, `row` from 0. */
void trigrams_make_begin(struct trigrams_maker *m, uint32_t row_count);
void trigrams_make_add(struct trigrams_maker *m, uint32_t row, struct str folded_text);
/* The section of the segment, in memory to be given to free(). */
struct str trigrams_make_finish(struct trigrams_maker *m, uint64_t first_row);
