/* Which moments have a mate in a matching of the most pairs and the least total gap.
 *
 * Levels, where a whole part lies within one window: then all of the smaller list have a mate.
 * Walk over both lists in the order of time; a moment of the larger list takes a step up, one
 * of the smaller list a step down:
 *
 *     larger    A     A  A           A        level 1      A     B
 *     smaller      B        B                 level 0   A B A        A      (the last A ends up
 *                                                                            at height 1)
 * The moments of one level, that is the steps between the same two heights, alternate, and some
 * best matching pairs only within levels (Karp and Li, Two special cases of the assignment
 * problem, Discrete Mathematics 13, 1975).  Levels from 0 to the final height have an A more
 * than B: the one to leave out is found by moving it from the first to the last.  The other
 * levels come out even.
 *
 * A band, else: with the moments of both lists in order, the best matching of the first i and
 * the first j is the best of leaving out the i-th left one, leaving out the j-th right one, and
 * pairing these two (nothing needs to cross, see match.c).  Cells are worth a look only where j
 * is near the window of i, and where no list has left out more than it does in all.  Rows of
 * the table are kept every few, and the rows between made again on the way back. */
#include "reports/match_work.h"

#include <string.h>

struct level {
    const struct match_moment *larger, *smaller; /* the newest of either; NULL: none yet */
    int64_t cost, cost_min;                      /* against leaving out the first */
    struct match_moment *left_out;               /* where cost is cost_min */
};

static void
step_up(struct level *level, struct match_moment *moment)
{
    if (level->larger)
        level->cost +=
            match_gap(level->larger, level->smaller) - match_gap(level->smaller, moment);
    if (!level->left_out || level->cost < level->cost_min) {
        level->cost_min = level->cost;
        level->left_out = moment;
    }
    level->larger = moment;
}

static void
choose_by_levels(struct arena *scratch, struct match_moment *larger, size_t larger_count,
                 struct match_moment *smaller, size_t smaller_count)
{
    /* Only the levels that come out odd are looked at. */
    int64_t level_count = (int64_t)(larger_count - smaller_count), height = 0;
    struct level *levels = arena_array(scratch, (size_t)level_count, struct level);
    for (size_t i = 0; i < smaller_count; i++)
        smaller[i].mate = 0;
    for (size_t a = 0, b = 0; a < larger_count || b < smaller_count;) {
        if (b == smaller_count ||
            (a < larger_count && larger[a].time_ms <= smaller[b].time_ms)) {
            larger[a].mate = 0;
            if (height >= 0 && height < level_count)
                step_up(&levels[height], &larger[a]);
            a++, height++;
        } else {
            height--;
            if (height >= 0 && height < level_count)
                levels[height].smaller = &smaller[b];
            b++;
        }
    }
    for (int64_t i = 0; i < level_count; i++)
        levels[i].left_out->mate = MATCH_NONE;
}

/* Pairs count first: a pair is worth more than any gap.  128 bits, since pairs times the worth
 * of a pair is up to n * n * window. */
typedef __int128 cost_t;

enum step { LEAVE_LEFT, LEAVE_RIGHT, PAIR };

struct band {
    const struct match_part *part;
    struct match_range *rows; /* row i: what j can be when i left ones are behind us; end is
                               * inclusive here */
    cost_t pair_worth;
};
#define COST_NONE ((cost_t)1 << 120) /* no way leads here */

static struct match_range *
band_rows(struct arena *scratch, const struct match_part *part)
{
    size_t n = part->left_count, m = part->right_count;
    size_t pairs = match_count(part->left, n, part->right, m, part->window_ms);
    struct match_range *windows =
        match_ranges(scratch, part->left, n, part->right, m, part->window_ms);
    struct match_range *rows = arena_array(scratch, n + 1, struct match_range);
    for (size_t i = 0; i <= n; i++) {
        size_t first = i == 0 ? 0 : windows[i - 1].first;
        size_t last = i == n ? m : windows[i].end;
        /* j - i is what the right list has left out less what the left list has. */
        if (i > n - pairs)
            first = MAX(first, i - (n - pairs));
        last = MIN(last, i + (m - pairs));
        rows[i] = (struct match_range){(uint32_t)first, (uint32_t)last};
    }
    return rows;
}

static size_t
row_width(const struct band *band, size_t i)
{
    return band->rows[i].end - band->rows[i].first + (size_t)1;
}

static cost_t
cost_at(const struct band *band, const cost_t *costs, size_t i, size_t j)
{
    return j < band->rows[i].first || j > band->rows[i].end ? COST_NONE
                                                            : costs[j - band->rows[i].first];
}

/* Row i from row i - 1; row 0 from nothing. */
static void
fill_row(const struct band *band, size_t i, const cost_t *before, cost_t *costs, uint8_t *steps)
{
    const struct match_part *part = band->part;
    for (size_t j = band->rows[i].first; j <= band->rows[i].end; j++) {
        cost_t best = i == 0 && j == 0 ? 0 : COST_NONE, cost;
        enum step step = LEAVE_RIGHT;
        if (j > band->rows[i].first)
            best = costs[j - 1 - band->rows[i].first];
        if (i > 0 && (cost = cost_at(band, before, i - 1, j)) < best) {
            best = cost;
            step = LEAVE_LEFT;
        }
        if (i > 0 && j > 0 && (cost = cost_at(band, before, i - 1, j - 1)) < COST_NONE) {
            int64_t gap = match_gap(&part->left[i - 1], &part->right[j - 1]);
            cost += gap - band->pair_worth;
            if (gap <= part->window_ms && cost < best) {
                best = cost;
                step = PAIR;
            }
        }
        costs[j - band->rows[i].first] = best;
        if (steps)
            steps[j - band->rows[i].first] = (uint8_t)step;
    }
}

/* The rows after `first` up to `last`, and how they were come by; back from (last, *j). */
static void
walk_back(struct arena *a, const struct band *band, const cost_t *saved, size_t first,
          size_t last, size_t *j)
{
    const cost_t *before = saved;
    uint8_t **steps = arena_array(a, last - first + 1, uint8_t *);
    cost_t *turn[2] = {NULL, NULL};
    size_t width = 0;
    for (size_t i = first; i <= last; i++)
        width = MAX(width, row_width(band, i));
    turn[0] = arena_array(a, width, cost_t);
    turn[1] = arena_array(a, width, cost_t);
    for (size_t i = first + 1; i <= last; i++) {
        steps[i - first] = arena_alloc(a, row_width(band, i));
        fill_row(band, i, before, turn[i % 2], steps[i - first]);
        before = turn[i % 2];
    }
    for (size_t i = last; i > first;) {
        uint8_t step = steps[i - first][*j - band->rows[i].first];
        if (step == PAIR)
            band->part->left[i - 1].mate = band->part->right[*j - 1].mate = 0;
        i -= step != LEAVE_RIGHT;
        *j -= step != LEAVE_LEFT;
    }
}

static void
choose_in_band(struct arena *scratch, struct match_part *part)
{
    size_t n = part->left_count, apart = 1;
    struct band band = {part, band_rows(scratch, part),
                        ((cost_t)part->window_ms + 1) * (cost_t)(n + 1)};
    while (apart * apart < 16 * n)
        apart++;
    /* Rows 0, apart, 2 * apart, ... are kept. */
    cost_t **saved = arena_array(scratch, n / apart + 1, cost_t *);
    cost_t *turn[2], *before = NULL;
    size_t width = 0, j = part->right_count;
    for (size_t i = 0; i <= n; i++)
        width = MAX(width, row_width(&band, i));
    turn[0] = arena_array(scratch, width, cost_t);
    turn[1] = arena_array(scratch, width, cost_t);
    for (size_t i = 0; i <= n; i++) {
        fill_row(&band, i, before, turn[i % 2], NULL);
        before = turn[i % 2];
        if (i % apart == 0) {
            saved[i / apart] = arena_array(scratch, row_width(&band, i), cost_t);
            memcpy(saved[i / apart], before, row_width(&band, i) * sizeof(*before));
        }
    }
    scoped_arena rows = {0};
    for (size_t last = n, first; last > 0; last = first) {
        first = (last - 1) / apart * apart;
        walk_back(&rows, &band, saved[first / apart], first, last, &j);
        arena_reset(&rows);
    }
}

void
match_choose(struct arena *scratch, struct match_part *part)
{
    size_t n = part->left_count, m = part->right_count;
    int64_t first = MIN(part->left[0].time_ms, part->right[0].time_ms);
    int64_t last = MAX(part->left[n - 1].time_ms, part->right[m - 1].time_ms);
    if (last - first > part->window_ms)
        choose_in_band(scratch, part);
    else if (n >= m)
        choose_by_levels(scratch, part->left, n, part->right, m);
    else
        choose_by_levels(scratch, part->right, m, part->left, n);
}
