/* One-to-one matching of two sorted lists of moments within a window: as many pairs as
 * possible, then the least total gap, then the smallest list of pairs in lexicographic order of
 * (af_line, cf_line).  A two-pointer greedy finds the most pairs but not the least gap; this
 * finds both, in time near n log n over all groups and memory linear in the group.
 *
 * Pure: one call is one group of equal appsflyer_id.  Proof and recurrence stand in the .c. */
#pragma once

#include "base/arena.h"

struct match_moment {
    int64_t time_ms;
    uint32_t line; /* unique within its list */
    uint32_t mate; /* out: index in the other list, MATCH_NONE */
};
#define MATCH_NONE UINT32_MAX

/* Both lists are sorted by (time, line).  window_ms is inclusive. */
void match_moments(struct arena *a, struct match_moment *left, size_t left_count,
                   struct match_moment *right, size_t right_count, int64_t window_ms);
