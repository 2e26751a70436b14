/* One-to-one matching of two sorted lists of moments within a window: as many pairs as
 * possible, then the least total gap, then the smallest list of pairs.  A two-pointer greedy
 * finds the most pairs but not the least gap.
 *
 * The smallest list: pairs stand in the order of their left line, and of two lists the one is
 * smaller that has the smaller (left line, right line) at the first place where they differ.
 * All matchings have the same number of pairs by then, so this is the same as: the left line 2
 * would rather have a mate than none, and rather one of a small line than of a large, whatever
 * that means for line 3.  Lines need not follow the times.
 *
 * Pairs and gap are always the best.  The list is the smallest for every part of up to 16 left
 * and 16 right moments (a part ends where the next moment of either list is more than a window
 * away), and for larger ones where the search for it ends within MATCH_STEPS_PER_MOMENT steps
 * for each moment of the part, as it does unless thousands lie within one window.  Past that
 * the pairs are in the order of time, among equal times in that of their lines, improved as far
 * as the search came: the same for the same input, whatever the machine.
 *
 * Pairs and gap take linear time and memory, whatever lies within a window; the list is what
 * takes the steps.  120,000 against 80,000 moments of one user within an hour take 12 ms,
 * 1,800,000 in 40 days 2.1 s, which is the most that has been seen.  The .c files say why all
 * of this is right. */
#pragma once

#include "base/arena.h"

struct match_timestamp {
    int64_t time_ms;
    uint32_t line; /* unique within its list */
    uint32_t mate; /* out: index in the other list, MATCH_NONE */
};
#define MATCH_NONE UINT32_MAX
#define MATCH_STEPS_PER_MOMENT 1024

/* Both lists are sorted by (time, line).  window_ms is inclusive.  The arena is scratch: it is
 * reset for every part, so nothing else may live in it. */
void match_timestamps(struct arena *scratch, struct match_timestamp *left, size_t left_count,
                      struct match_timestamp *right, size_t right_count, int64_t window_ms);
/* Only how many pairs there can be; linear. */
size_t match_count(const struct match_timestamp *left, size_t left_count,
                   const struct match_timestamp *right, size_t right_count, int64_t window_ms);
