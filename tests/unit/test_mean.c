/* Exact means of ratios, and the counting of deep links: what the reports compute that a test
 * over HTTP could not corner. */
#include "dice.h"
#include "temp_dir.h"

#include "reports/links.h"
#include "reports/mean.h"
#include "reports/money.h"

#include <inttypes.h>
#include <stdio.h>

struct term {
    int64_t numerator, denominator;
};

static void
assert_prints(const struct term *terms, size_t count, const char *expected)
{
    struct mean mean;
    scoped_buf out;
    buf_init(&out, 128);
    mean_init(&mean);
    for (size_t i = 0; i < count; i++)
        mean_add(&mean, terms[i].numerator, terms[i].denominator);
    mean_print(&mean, &out);
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, expected);
}
#define PRINTS(expected, ...)                                                                  \
    assert_prints((struct term[]){__VA_ARGS__}, COUNT_OF(((struct term[]){__VA_ARGS__})),      \
                  expected)

static void
a_mean_is_rounded_half_even_once(void **state UNUSED)
{
    PRINTS("0", {0, 1});
    PRINTS("1", {5, 5});
    PRINTS("0.5", {1, 1}, {0, 7});
    PRINTS("10", {20, 1}, {0, 1});
    PRINTS("0.3333333333", {1, 3});
    PRINTS("0.6666666667", {2, 3});
    PRINTS("0.1111111111", {1, 3}, {0, 1}, {0, 1});
    PRINTS("0", {1, INT64_C(20000000000)});            /* 0.5 of the last place: to even */
    PRINTS("0.0000000002", {3, INT64_C(20000000000)}); /* 1.5 of it */
    PRINTS("0.0000000002", {5, INT64_C(20000000000)}); /* 2.5 of it */
    PRINTS("0.0000000001", {100000001, INT64_C(2000000000000000000)}); /* just above 0.5 */
    /* Each third is rounded down; their mean, rounded once, is a third and not 0.33333333329.
     */
    PRINTS("0.3333333333", {1, 3}, {1, 3}, {1, 3}, {1, 3}, {1, 3}, {1, 3}, {1, 3});
    PRINTS("9223372036854775807", {INT64_MAX, 1}, {INT64_MAX, 1});
}

static void
eight_of_the_largest_terms_fit(void **state UNUSED)
{
    struct mean mean;
    scoped_buf out;
    buf_init(&out, 128);
    mean_init(&mean);
    for (size_t i = 0; i < MEAN_TERMS_MAX; i++)
        mean_add(&mean, INT64_MAX, INT64_MAX - (int64_t)i);
    mean_print(&mean, &out);
    assert_true(str_eq(buf_str(&out), STR("1")));
    /* Not quite 1: every term but the first is a little more. */
    assert_true(mean_compare(&mean, INT64_MAX, INT64_MAX, 100) < 0);
    assert_true(mean_compare(&mean, INT64_MAX, INT64_MAX - 8, 100) > 0);
    assert_true(mean_compare(&mean, INT64_MAX, 1, 100) > 0);
}

static void
the_limit_itself_is_not_below_it(void **state UNUSED)
{
    struct mean mean;
    mean_init(&mean);
    for (int i = 0; i < 3; i++)
        mean_add(&mean, 1, 3);
    /* Half of a third is a sixth, which no decimal holds. */
    assert_int_equal(mean_compare(&mean, 1, 6, 50), 0);
    assert_true(mean_compare(&mean, 999999, 6000000, 50) < 0);
    assert_true(mean_compare(&mean, 1000001, 6000000, 50) > 0);
    assert_true(mean_compare(&mean, 0, 1, 50) < 0);
    mean_init(&mean);
    for (int i = 0; i < 3; i++)
        mean_add(&mean, 0, 5);
    assert_int_equal(mean_compare(&mean, 0, 9, 50), 0); /* nothing is not below nothing */
}

static void
one_term_prints_as_the_ratio_itself(void **state UNUSED)
{
    dice_begin(__func__);
    for (size_t i = 0; i < dice_rounds(20000); i++) {
        int64_t numerator = (int64_t)(dice_u64() >> (1 + dice_below(60)));
        int64_t denominator = (int64_t)(dice_u64() >> (1 + i % 62)) + 1;
        struct mean mean;
        scoped_buf exact, ratio;
        buf_init(&exact, 128);
        buf_init(&ratio, 128);
        mean_init(&mean);
        mean_add(&mean, numerator, denominator);
        mean_print(&mean, &exact);
        money_add_ratio(&ratio, numerator, denominator);
        dice_reach("below one", numerator < denominator);
        dice_reach("whole", numerator % denominator == 0);
        dice_reach("not whole", numerator % denominator != 0);
        if (!str_eq(buf_str(&exact), buf_str(&ratio)))
            fail_msg("%" PRId64 "/%" PRId64 ": %" STR_FMT " and %" STR_FMT, numerator,
                     denominator, STR_ARG(buf_str(&exact)), STR_ARG(buf_str(&ratio)));
    }
    dice_end();
}

/* ---- deep links ---- */

static void
add(struct links *links, const char *character, const char *campaign, int64_t player)
{
    links_add(links, character, str_from(character), str_from(campaign), player);
}

static void
links_are_counted_by_character_and_campaign(void **state UNUSED)
{
    struct links *links = links_open();
    size_t count;
    for (int i = 0; i < 10000; i++) /* more than one sorting of the pairs */
        add(links, "knight", i % 2 ? " spring " : "SPRING", 1 + i % 700);
    add(links, "knight", "autumn", 1);
    add(links, "knight", "", 0);
    add(links, NULL, "spring", 9000);
    add(links, "no blanks", "spring", 9000);
    add(links, "\xc3\xa9", "spring", 0);
    links_finish(links);
    const struct link *list = links_list(links, &count);
    assert_int_equal(count, 4);
    assert_false(list[0].has_character);
    assert_true(list[0].opens == 3 && list[0].missing == 1 && list[0].malformed == 2);
    assert_int_equal(list[0].players, 1);
    assert_true(str_eq(list[1].campaign, STR("(NONE)")) && list[1].players == 0);
    assert_true(str_eq(list[2].campaign, STR("AUTUMN")) && list[2].players == 1);
    assert_true(str_eq(list[3].campaign, STR("SPRING")) && list[3].opens == 10000);
    assert_true(list[3].players == 700 && list[3].missing == 0 && list[3].malformed == 0);
    assert_int_equal(links_players(links), 701);
    assert_int_equal(links_other(links)->opens, 0);
    links_close(&links);
}

static void
invented_links_are_counted_together_beyond_a_limit(void **state UNUSED)
{
    struct links *links = links_open();
    char character[32];
    size_t count;
    add(links, "real", "spring", 1);
    for (int i = 0; i < LINKS_MAX + 50; i++) {
        snprintf(character, sizeof(character), "x%d", i);
        add(links, character, "spring", 0);
    }
    add(links, "real", "spring", 2); /* known by then */
    links_finish(links);
    const struct link *list = links_list(links, &count);
    assert_int_equal(count, LINKS_MAX);
    assert_true(str_eq(list[0].character, STR("real")) && list[0].opens == 2);
    assert_int_equal(list[0].players, 2);
    assert_int_equal(links_other(links)->opens, 51);
    links_close(&links);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mean_is_rounded_half_even_once),
        cmocka_unit_test(eight_of_the_largest_terms_fit),
        cmocka_unit_test(the_limit_itself_is_not_below_it),
        cmocka_unit_test(one_term_prints_as_the_ratio_itself),
        cmocka_unit_test(links_are_counted_by_character_and_campaign),
        cmocka_unit_test(invented_links_are_counted_together_beyond_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
