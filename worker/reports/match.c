/* The steps of a matching: cut into parts, choose which timestamps have a mate, pair them.
 *
 * Uncrossing.  Let l <= l' be left timestamps and r <= r' right ones, with the pairs (l, r')
 * and (l', r) within the window.  Then (l, r) and (l', r') are within it too, and the sum of
 * their gaps is not larger, because |x - y| is convex.  So once it is known which timestamps
 * have a mate, pairing the i-th left one with the i-th right one gives an optimal matching:
 * match_choose chooses, and pair_in_order pairs.
 *
 * Timestamps of one list with equal times can replace each other, so those with the smallest
 * lines are taken.  Where all times are equal, that alone gives the smallest list of pairs. */
#include "reports/match_work.h"

size_t
match_count(const struct match_timestamp *left, size_t left_count,
            const struct match_timestamp *right, size_t right_count, int64_t window_ms)
{
    size_t count = 0, l = 0, r = 0;
    /* If two are too far apart, the earlier one is too far from everything that follows. */
    while (l < left_count && r < right_count) {
        if (match_gap(&left[l], &right[r]) <= window_ms)
            count++, l++, r++;
        else if (left[l].time_ms < right[r].time_ms)
            l++;
        else
            r++;
    }
    return count;
}

struct match_range *
match_ranges(struct arena *scratch, const struct match_timestamp *of, size_t of_count,
             const struct match_timestamp *among, size_t among_count, int64_t window_ms)
{
    struct match_range *ranges = arena_array(scratch, of_count, struct match_range);
    uint32_t first = 0, end = 0;
    for (size_t i = 0; i < of_count; i++) {
        while (first < among_count && among[first].time_ms < of[i].time_ms - window_ms)
            first++;
        while (end < among_count && among[end].time_ms <= of[i].time_ms + window_ms)
            end++;
        ranges[i] = (struct match_range){first, end};
    }
    return ranges;
}

static void
take_the_smallest_lines(struct match_timestamp *list, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        size_t taken = 0;
        for (end = i; end < count && list[end].time_ms == list[i].time_ms; end++)
            taken += list[end].mate != MATCH_NONE;
        for (size_t k = i; k < end; k++)
            list[k].mate = k - i < taken ? 0 : MATCH_NONE;
    }
}

static void
pair_in_order(struct match_part *part)
{
    size_t r = 0;
    for (size_t l = 0; l < part->left_count; l++) {
        if (part->left[l].mate == MATCH_NONE)
            continue;
        while (part->right[r].mate == MATCH_NONE)
            r++;
        part->left[l].mate = (uint32_t)r;
        part->right[r++].mate = (uint32_t)l;
    }
}

static void
match_part(struct arena *scratch, struct match_part *part)
{
    arena_reset(scratch);
    match_choose(scratch, part);
    take_the_smallest_lines(part->left, part->left_count);
    take_the_smallest_lines(part->right, part->right_count);
    pair_in_order(part);
    if (part->left_count > 1 || part->right_count > 1)
        match_reorder(scratch, part);
}

static void
shift_mates(struct match_timestamp *list, size_t count, size_t by)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].mate != MATCH_NONE)
            list[i].mate += (uint32_t)by;
}

/* Takes the next timestamp of a list into the part, unless it is more than a window after the
 * last one taken. */
static bool
takes_next(const struct match_timestamp *list, size_t count, size_t *at, int64_t *newest,
           int64_t window_ms)
{
    if (*at == count || list[*at].time_ms - *newest > window_ms)
        return false;
    *newest = MAX(*newest, list[*at].time_ms);
    ++*at;
    return true;
}

void
match_timestamps(struct arena *scratch, struct match_timestamp *left, size_t left_count,
                 struct match_timestamp *right, size_t right_count, int64_t window_ms)
{
    for (size_t i = 0; i < left_count; i++)
        left[i].mate = MATCH_NONE;
    for (size_t i = 0; i < right_count; i++)
        right[i].mate = MATCH_NONE;
    for (size_t l = 0, r = 0; l < left_count && r < right_count;) {
        size_t l_first = l, r_first = r;
        int64_t newest = MIN(left[l].time_ms, right[r].time_ms);
        while (takes_next(left, left_count, &l, &newest, window_ms) ||
               takes_next(right, right_count, &r, &newest, window_ms))
            continue;
        struct match_part part = {left + l_first, right + r_first, l - l_first, r - r_first,
                                  window_ms};
        if (part.left_count == 0 || part.right_count == 0)
            continue;
        match_part(scratch, &part);
        shift_mates(part.left, part.left_count, r_first);
        shift_mates(part.right, part.right_count, l_first);
    }
}
