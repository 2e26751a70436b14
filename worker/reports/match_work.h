/* What the files of the matching share: a part, which is matched by itself. */
#pragma once

#include "reports/match.h"

struct match_part {
    struct match_timestamp *left, *right; /* mates are indices into the part */
    size_t left_count, right_count;       /* none is 0 */
    int64_t window_ms;
};

static inline int64_t
match_gap(const struct match_timestamp *x, const struct match_timestamp *y)
{
    return x->time_ms < y->time_ms ? y->time_ms - x->time_ms : x->time_ms - y->time_ms;
}

/* Moments of `among` within the window of `of`: [first, end), both growing with `of`. */
struct match_range {
    uint32_t first, end;
};
struct match_range *match_ranges(struct arena *scratch, const struct match_timestamp *of,
                                 size_t of_count, const struct match_timestamp *among,
                                 size_t among_count, int64_t window_ms);

/* Which moments have a mate in a best matching: mate is MATCH_NONE or anything else. */
void match_choose(struct arena *scratch, struct match_part *part);
/* From a best matching to the best one with the smallest list of pairs. */
void match_reorder(struct arena *scratch, struct match_part *part);
