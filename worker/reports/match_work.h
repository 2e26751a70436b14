/* What the files of the matching share: a part of the lists that is matched by itself. */
#pragma once

#include "reports/match.h"

struct match_part {
    struct match_timestamp *left, *right; /* mates are indexes within the part */
    size_t left_count, right_count;       /* both at least 1 */
    int64_t window_ms;
};

static inline int64_t
match_gap(const struct match_timestamp *x, const struct match_timestamp *y)
{
    return x->time_ms < y->time_ms ? y->time_ms - x->time_ms : x->time_ms - y->time_ms;
}

/* For each timestamp of `of`, those of `among` within the window: [first, end).  Both bounds
 * ascend from one timestamp of `of` to the next. */
struct match_range {
    uint32_t first, end;
};
struct match_range *match_ranges(struct arena *scratch, const struct match_timestamp *of,
                                 size_t of_count, const struct match_timestamp *among,
                                 size_t among_count, int64_t window_ms);

/* Decides which timestamps have a mate in an optimal matching: mate is MATCH_NONE or not. */
void match_choose(struct arena *scratch, struct match_part *part);
/* Changes an optimal matching into the optimal one with the smallest list of pairs. */
void match_reorder(struct arena *scratch, struct match_part *part);
