/* The matching against all matchings there are, on small cases, and on large ones against what
 * is known about them. */
#include "reports/match.h"

#include "dice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { SMALL_MAX = 6 };

static int
compare_moments(const void *a, const void *b)
{
    const struct match_timestamp *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static int64_t
gap_of(const struct match_timestamp *x, const struct match_timestamp *y)
{
    return llabs(x->time_ms - y->time_ms);
}

/* Times below `times`, lines shuffled. */
static void
fill(struct match_timestamp *list, size_t count, uint32_t times)
{
    for (size_t i = 0; i < count; i++) {
        list[i] =
            (struct match_timestamp){(uint32_t)dice_below(times), (uint32_t)i + 2, MATCH_NONE};
        size_t other = dice_below(i + 1);
        uint32_t line = list[i].line;
        list[i].line = list[other].line;
        list[other].line = line;
    }
    qsort(list, count, sizeof(*list), compare_moments);
}

struct small {
    struct match_timestamp left[SMALL_MAX], right[SMALL_MAX];
    size_t left_count, right_count;
    int64_t window;
};

/* What is compared: pairs, gap, and the list of pairs, by left line. */
struct outcome {
    size_t pairs;
    int64_t gap;
    uint32_t right_line[SMALL_MAX + 2]; /* at the left line; MATCH_NONE without */
};

static int
compare_outcomes(const struct outcome *x, const struct outcome *y)
{
    if (x->pairs != y->pairs)
        return x->pairs > y->pairs ? -1 : 1;
    if (x->gap != y->gap)
        return x->gap < y->gap ? -1 : 1;
    for (size_t i = 0; i < COUNT_OF(x->right_line); i++)
        if (x->right_line[i] != y->right_line[i])
            return x->right_line[i] < y->right_line[i] ? -1 : 1;
    return 0;
}

/* Every left moment in turn without a mate, then with each right one that is free. */
static void
try_all(const struct small *s, size_t l, unsigned taken, struct outcome *now,
        struct outcome *best)
{
    if (l == s->left_count) {
        if (compare_outcomes(now, best) < 0)
            *best = *now;
        return;
    }
    try_all(s, l + 1, taken, now, best);
    for (size_t r = 0; r < s->right_count; r++) {
        int64_t gap = gap_of(&s->left[l], &s->right[r]);
        if (taken & 1u << r || gap > s->window)
            continue;
        now->pairs++, now->gap += gap;
        now->right_line[s->left[l].line] = s->right[r].line;
        try_all(s, l + 1, taken | 1u << r, now, best);
        now->pairs--, now->gap -= gap;
        now->right_line[s->left[l].line] = MATCH_NONE;
    }
}

static struct outcome
nothing_matched(void)
{
    struct outcome out = {0};
    memset(out.right_line, 0xff, sizeof(out.right_line));
    return out;
}

/* Checks on the way that mates are each other's and within the window. */
static struct outcome
outcome_of(const struct small *s)
{
    struct outcome out = nothing_matched();
    size_t right_pairs = 0;
    for (size_t l = 0; l < s->left_count; l++) {
        uint32_t r = s->left[l].mate;
        if (r == MATCH_NONE)
            continue;
        assert_true(r < s->right_count);
        assert_int_equal(s->right[r].mate, l);
        assert_true(gap_of(&s->left[l], &s->right[r]) <= s->window);
        out.pairs++;
        out.gap += gap_of(&s->left[l], &s->right[r]);
        out.right_line[s->left[l].line] = s->right[r].line;
    }
    for (size_t r = 0; r < s->right_count; r++)
        right_pairs += s->right[r].mate != MATCH_NONE;
    assert_int_equal(right_pairs, out.pairs);
    return out;
}

static void
check_small(struct arena *a, struct small *s)
{
    struct outcome now = nothing_matched(), best = nothing_matched();
    try_all(s, 0, 0, &now, &best);
    match_timestamps(a, s->left, s->left_count, s->right, s->right_count, s->window);
    struct outcome seen = outcome_of(s);
    assert_int_equal(seen.pairs, best.pairs);
    assert_int_equal(seen.gap, best.gap);
    for (size_t i = 0; i < COUNT_OF(seen.right_line); i++)
        assert_int_equal(seen.right_line[i], best.right_line[i]);
    assert_int_equal(match_count(s->left, s->left_count, s->right, s->right_count, s->window),
                     best.pairs);
}

static void
small_cases_match_as_the_best_of_all_matchings(void **state UNUSED)
{
    dice_begin(__func__);
    static const uint32_t TIMES[] = {1, 2, 3, 5, 8, 13, 30, 100};
    scoped_arena a = {0};
    for (size_t round = 0; round < dice_rounds(60000); round++) {
        struct small s = {.left_count = dice_below(SMALL_MAX + 1),
                          .right_count = dice_below(SMALL_MAX + 1)};
        uint32_t times = TIMES[dice_below(COUNT_OF(TIMES))];
        s.window = (uint32_t)dice_below(times + 1);
        fill(s.left, s.left_count, times);
        fill(s.right, s.right_count, times);
        check_small(&a, &s);
        size_t pairs = match_count(s.left, s.left_count, s.right, s.right_count, s.window);
        dice_reach("no pair", !pairs);
        dice_reach("some pairs", pairs && pairs < MIN(s.left_count, s.right_count));
        dice_reach("all that can", pairs && pairs == MIN(s.left_count, s.right_count));
        dice_reach("only equal times", pairs && s.window == 0);
    }
    dice_end();
}

static void
the_window_is_inclusive(void **state UNUSED)
{
    scoped_arena a = {0};
    for (int64_t gap = 599999; gap <= 600001; gap++) {
        struct match_timestamp left = {1000000, 2, 0}, right = {1000000 + gap, 2, 0};
        match_timestamps(&a, &left, 1, &right, 1, 600000);
        assert_int_equal(left.mate, gap <= 600000 ? 0 : MATCH_NONE);
        assert_int_equal(right.mate, left.mate);
    }
}

static void
the_greedy_choice_of_two_pointers_is_not_taken(void **state UNUSED)
{
    scoped_arena a = {0};
    struct match_timestamp left[] = {{0, 2, 0}, {9, 3, 0}}, right[] = {{10, 2, 0}};
    match_timestamps(&a, left, 2, right, 1, 10);
    assert_int_equal(left[0].mate, MATCH_NONE);
    assert_int_equal(left[1].mate, 0);
}

/* Pairs that cross cost the same here, and only they give line 2 the mate of line 2. */
static void
lines_decide_where_the_gap_does_not(void **state UNUSED)
{
    scoped_arena a = {0};
    struct match_timestamp left[] = {{0, 3, 0}, {1, 2, 0}}, right[] = {{5, 2, 0}, {6, 3, 0}};
    match_timestamps(&a, left, 2, right, 2, 10);
    assert_int_equal(left[1].mate, 0);
    assert_int_equal(left[0].mate, 1);
}

struct large {
    struct match_timestamp *left, *right;
    size_t left_count, right_count;
    int64_t window;
};

static struct large
large_new(size_t left_count, size_t right_count, uint32_t times, int64_t window)
{
    struct large l = {calloc(left_count, sizeof(*l.left)),
                      calloc(right_count, sizeof(*l.right)), left_count, right_count, window};
    fill(l.left, left_count, times);
    fill(l.right, right_count, times);
    return l;
}

static void
large_free(struct large *l)
{
    free(l->left);
    free(l->right);
}

struct totals {
    size_t pairs;
    int64_t gap;
};

static struct totals
large_match(struct large *l)
{
    scoped_arena a = {0};
    struct totals totals = {0};
    match_timestamps(&a, l->left, l->left_count, l->right, l->right_count, l->window);
    for (size_t i = 0; i < l->left_count; i++) {
        uint32_t r = l->left[i].mate;
        if (r == MATCH_NONE)
            continue;
        assert_int_equal(l->right[r].mate, i);
        assert_true(gap_of(&l->left[i], &l->right[r]) <= l->window);
        totals.pairs++;
        totals.gap += gap_of(&l->left[i], &l->right[r]);
    }
    return totals;
}

static void
keep_better(struct totals *best, struct totals other)
{
    if (other.pairs > best->pairs || (other.pairs == best->pairs && other.gap < best->gap))
        *best = other;
}

/* The whole table, without any of the shortcuts. */
static struct totals
plain_table(const struct large *l)
{
    size_t width = l->right_count + 1;
    struct totals *table = calloc((l->left_count + 1) * width, sizeof(*table));
    for (size_t i = 1; i <= l->left_count; i++)
        for (size_t j = 1; j < width; j++) {
            struct totals *best = &table[i * width + j];
            int64_t gap = gap_of(&l->left[i - 1], &l->right[j - 1]);
            *best = table[i * width + j - 1];
            keep_better(best, table[(i - 1) * width + j]);
            struct totals pair = table[(i - 1) * width + j - 1];
            pair.pairs++, pair.gap += gap;
            if (gap <= l->window)
                keep_better(best, pair);
        }
    struct totals totals = table[l->left_count * width + l->right_count];
    free(table);
    return totals;
}

static void
hundreds_match_as_the_whole_table_says(void **state UNUSED)
{
    dice_begin(__func__);
    static const uint32_t TIMES[] = {20, 300, 5000, 100000};
    for (size_t round = 0; round < dice_rounds(200); round++) {
        uint32_t times = TIMES[dice_below(COUNT_OF(TIMES))];
        struct large l = large_new(1 + dice_below(200), 1 + dice_below(200), times,
                                   (uint32_t)dice_below(times / (1 + dice_below(50)) + 2));
        struct totals wanted = plain_table(&l), seen = large_match(&l);
        assert_int_equal(seen.pairs, wanted.pairs);
        assert_int_equal(seen.gap, wanted.gap);
        size_t most = MIN(l.left_count, l.right_count);
        dice_reach("some pairs", wanted.pairs && wanted.pairs < most);
        dice_reach("all that can", wanted.pairs == most);
        large_free(&l);
    }
    dice_end();
}

static void
equal_times_pair_in_the_order_of_lines(void **state UNUSED)
{
    struct large l = large_new(50000, 30000, 1, 600000);
    assert_int_equal(large_match(&l).pairs, 30000);
    for (size_t i = 0; i < l.left_count; i++)
        assert_int_equal(l.left[i].mate, i < 30000 ? i : MATCH_NONE);
    large_free(&l);
}

/* Of the processor, so that what runs beside it does not count. */
static clock_t
time_match(uint32_t scale, uint32_t times)
{
    struct large l = large_new(1200 * scale, 800 * scale, times, 600000);
    clock_t began = clock();
    assert_int_equal(large_match(&l).pairs, 800 * scale);
    clock_t spent = clock() - began;
    large_free(&l);
    return spent;
}

/* Ten times the rows take about eleven times as long; what would be quadratic, a hundred
 * times. */
static void
one_user_with_all_rows_is_quick(void **state UNUSED)
{
    static const uint32_t TIMES[] = {1, 600, 600000, 3600000};
    for (size_t i = 0; i < COUNT_OF(TIMES); i++)
        assert_true(time_match(100, TIMES[i]) < 40 * MAX(time_match(10, TIMES[i]), 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_cases_match_as_the_best_of_all_matchings),
        cmocka_unit_test(the_window_is_inclusive),
        cmocka_unit_test(the_greedy_choice_of_two_pointers_is_not_taken),
        cmocka_unit_test(lines_decide_where_the_gap_does_not),
        cmocka_unit_test(hundreds_match_as_the_whole_table_says),
        cmocka_unit_test(equal_times_pair_in_the_order_of_lines),
        cmocka_unit_test(one_user_with_all_rows_is_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
