/* Builds the lists of one segment of the trigrams file.  The cost per trigram of the text
 * dominates, and nearly all of them are among a few thousand common trigrams, which are
 * determined from a sample.  A common trigram sets a bit, without testing whether it is set;
 * any other is appended to its list unless the last row of the list is this row:
 *
 *                      common   a bit in the row's set  --64 rows transposed-->  bitmaps
 *   trigram --numbers-->
 *                      others   { last row, first chunk, end, bytes }
 *                                                  |
 *                 chunk of 16 bytes:  | 12 bytes of gaps | next chunk |---> ...
 *
 * (125 MB of English, CPU time: 1.1 s with lists for all trigrams, 0.5 s in this way.)
 * Trigrams are numbered in the order of first appearance, for all threads together, so that
 * tables are no longer than the number of trigrams that occur.  Compared with counting first
 * and filling in a second pass, which would read every text twice, chunks temporarily cost a
 * third more memory.  Private to index/. */
#pragma once

#include "index/trigrams_format.h"

#include <pthread.h>

/* Bounds the bitmaps of the common trigrams to 8 MiB per thread.  A word of each bitmap is
 * written in turn, and with an odd number of words per bitmap these do not all fall into the
 * same set of the cache, as they did with 512. */
#define TRIGRAMS_MAKE_ROWS_MAX (255 * 64)
static_assert(TRIGRAMS_MAKE_ROWS_MAX <= TRIGRAMS_SEGMENT_ROWS_MAX, "fits the format");
#define TRIGRAMS_COMMON_COUNT 4096
#define TRIGRAMS_COMMON_WORDS (TRIGRAMS_COMMON_COUNT / 64)

/* Shared by all threads. */
struct trigrams_numbers {
    /* By trigram; 0: not numbered yet.  Numbers from 1 to `common_count` are those of
     * `common`. */
    _Atomic uint32_t *ids;
    uint32_t last;                          /* the last number given */
    uint32_t common[TRIGRAMS_COMMON_COUNT]; /* trigrams */
    uint32_t common_count;
    pthread_mutex_t mutex; /* guards `last` */
};
void trigrams_numbers_init(struct trigrams_numbers *numbers);
void trigrams_numbers_free(struct trigrams_numbers *numbers);
/* Chooses the common trigrams from a sample of the texts; once, before any thread is started.
 */
void trigrams_numbers_choose(struct trigrams_numbers *numbers, const struct str *texts,
                             size_t text_count);

struct trigrams_list {
    uint32_t last;  /* last row in the list, counted from 1 in the segment; 0: empty list */
    uint32_t first; /* first chunk */
    uint32_t end;   /* where the next byte goes */
    uint32_t bytes;
};

/* The state of one thread. */
struct trigrams_maker {
    struct trigrams_numbers *numbers;
    struct trigrams_list *lists; /* by number */
    char *chunks;
    size_t chunks_bytes, chunks_cap;
    /* The common trigrams of the current 64 rows. */
    uint64_t rows[64][TRIGRAMS_COMMON_WORDS];
    uint64_t *bitmaps;  /* of the common trigrams, word_count words each */
    size_t word_count;  /* of a set of the segment's rows */
    uint32_t row_count; /* of the segment */
    uint64_t *used;     /* trigram << 32 | number, for each list that is not empty */
    size_t used_count, used_cap;
};
void trigrams_maker_init(struct trigrams_maker *m, struct trigrams_numbers *numbers);
void trigrams_maker_free(struct trigrams_maker *m);
/* Builds one segment: _begin, then _add for each row once, in order, `row` from 0. */
void trigrams_make_begin(struct trigrams_maker *m, uint32_t row_count);
void trigrams_make_add(struct trigrams_maker *m, uint32_t row, struct str folded_text);
/* The segment as a section of the file; the caller frees it with free(). */
struct str trigrams_make_finish(struct trigrams_maker *m, uint64_t first_row);
