/* Which titles of a column are worth a look by their trigrams. */
#pragma once

#include "index/block.h"
#include "query/titles_trigrams.h"

struct embedded_sift; /* in the arena; of a query that outlives it */
struct embedded_sift *embedded_sift_new(struct arena *a, const struct titles_trigrams *query);

/* Which of the titles from row `from` on may have a titles_trigrams_score of at least
 * `score_min`: bit i is row from + i.  Many times as fast, and wrong in that direction alone.
 * `titles` reads BLOCK_TEXTS.  Returns how many rows it looked at, 1 to 64. */
size_t embedded_sift_titles(const struct embedded_sift *sift, struct block_reader *titles,
                            uint64_t from, double score_min, uint64_t *out);
