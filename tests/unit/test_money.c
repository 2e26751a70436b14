/* Money is exact: what is taken, what is refused, and ratios against long division by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dice.h"
#include "reports/money.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void
assert_text(struct buf *b, const char *expected)
{
    buf_add_char(b, '\0');
    assert_string_equal(b->p, expected);
    buf_clear(b);
}

static void
amounts_are_read_in_millionths(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t millionths;
    } CASES[] = {
        {"4.99", 4990000},
        {"4,99", 4990000},
        {"10", 10000000},
        {"-19.99", -19990000},
        {"+0.000001", 1},
        {" 9.99\t", 9990000},
        {"0.0", 0},
        {"-0", 0},
        {"1.234", 1234000},
        {"1,2345", 1234500},
        {"1,23", 1230000},
        {"4.9900000000", 4990000},
        {"4.990000001", 4990000},
        {"1.2345678", 1234568},
        {"0.0000001", 0},
        {"0.0000005", 0},
        {"0.0000015", 2},
        {"0.00000050", 0},
        {"0.00000050000001", 1},
        {"-0.0000015", -2},
        {"-0.0000025", -2},
        {"0.9999996", 1000000},
        {"1,2345678", 1234568},
        {"9223372036854.7758074", INT64_MAX},
        {"-9223372036854.7758084", INT64_MIN},
        {"007.5", 7500000},
        {"0,5", 500000},
        {"9223372036854.775807", INT64_MAX},
        {"-9223372036854.775808", INT64_MIN},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t v = 42;
        if (!money_parse(str_from(CASES[i].text), &v) || v != CASES[i].millionths)
            fail_msg("%s gave %lld", CASES[i].text, (long long)v);
    }
}

static void
what_may_mean_something_else_is_refused(void **state UNUSED)
{
    static const char *const CASES[] = {
        "",
        " ",
        "-",
        "+",
        ".",
        ",",
        "5.",
        "5,",
        ".5",
        ",5",
        "1,234",
        "0,999",
        "1.234,5",
        "1,234.5",
        "1.2.3",
        "1,2,3",
        "1e3",
        "$4.99",
        "4.99 USD",
        "4 99",
        "0x10",
        "nan",
        "inf",
        "--1",
        "+-1",
        "1-",
        "9223372036854.7758075",
        "-9223372036854.7758089",
        "4.99\xc2\xa0",
        "\xef\xbc\x91",
        "9223372036854.775808",
        "-9223372036854.775809",
        "99999999999999999999",
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t v = 42;
        if (money_parse(str_from(CASES[i]), &v) || v != 42)
            fail_msg("'%s' was taken as %lld", CASES[i], (long long)v);
    }
    int64_t v;
    assert_false(money_parse((struct str){"1\0", 2}, &v));
}

static void
amounts_are_written_with_the_decimals_they_have(void **state UNUSED)
{
    static const struct {
        int64_t millionths;
        const char *text;
    } CASES[] = {
        {0, "0"},
        {1, "0.000001"},
        {-1, "-0.000001"},
        {4990000, "4.99"},
        {-19990000, "-19.99"},
        {10000000, "10"},
        {10500000, "10.5"},
        {INT64_MAX, "9223372036854.775807"},
        {INT64_MIN, "-9223372036854.775808"},
    };
    scoped_buf b;
    buf_init(&b, KIB);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        money_add(&b, CASES[i].millionths);
        assert_text(&b, CASES[i].text);
    }
}

static void
any_amount_reads_back_as_it_was_written(void **state UNUSED)
{
    dice_begin(__func__);
    scoped_buf b;
    buf_init(&b, KIB);
    for (size_t i = 0; i < dice_rounds(200000); i++) {
        int64_t v = (int64_t)(dice_u64() >> 1), back = 0;
        v >>= dice_below(63);
        v = i % 2 ? v : -v;
        buf_clear(&b);
        money_add(&b, v);
        assert_true(money_parse(buf_str(&b), &back));
        assert_int_equal(back, v);
        dice_reach("negative", v < 0);
        dice_reach("zero", v == 0);
        dice_reach("decimals", str_find_char(buf_str(&b), '.') >= 0);
        dice_reach("no decimals", str_find_char(buf_str(&b), '.') < 0);
    }
    dice_end();
}

static void
ratios_are_rounded_half_even_at_the_tenth_decimal(void **state UNUSED)
{
    static const struct {
        int64_t numerator, denominator;
        const char *text;
    } CASES[] = {
        {1, 3, "0.3333333333"},
        {2, 3, "0.6666666667"},
        {-2, 3, "-0.6666666667"},
        {0, 5, "0"},
        {10, 5, "2"},
        {1, INT64_C(20000000000), "0"},            /* 0.5 of the last place: even */
        {3, INT64_C(20000000000), "0.0000000002"}, /* 1.5: even is above */
        {5, INT64_C(20000000000), "0.0000000002"}, /* 2.5: even is below */
        {-1, INT64_C(20000000000), "0"},           /* no minus zero */
        {-3, INT64_C(20000000000), "-0.0000000002"},
        {INT64_C(199999999999), 2, "99999999999.5"},
        {INT64_C(99999999999), INT64_C(100000000000), "1"}, /* carries over */
        {INT64_MAX, 1, "9223372036854775807"},
        {INT64_MIN, 1, "-9223372036854775808"},
        {INT64_MAX, INT64_MAX, "1"},
        {INT64_MIN, INT64_MAX, "-1"},
        {1, INT64_MAX, "0"},
    };
    scoped_buf b;
    buf_init(&b, KIB);
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        money_add_ratio(&b, CASES[i].numerator, CASES[i].denominator);
        assert_text(&b, CASES[i].text);
    }
}

/* Digit by digit, as on paper. */
static void
divide_on_paper(char *out, uint64_t numerator, uint64_t denominator, int digits)
{
    uint64_t rest = numerator % denominator;
    int n = snprintf(out, 64, "%llu.", (unsigned long long)(numerator / denominator));
    for (int i = 0; i < digits; i++) {
        out[n++] = (char)('0' + rest * 10 / denominator);
        rest = rest * 10 % denominator;
    }
    out[n] = '\0';
}

static void
a_ratio_is_within_half_a_place_of_long_division(void **state UNUSED)
{
    dice_begin(__func__);
    scoped_buf b;
    buf_init(&b, KIB);
    for (size_t i = 0; i < dice_rounds(100000); i++) {
        int64_t numerator = (int64_t)dice_below(1U << 31);
        int64_t denominator = (int64_t)dice_below(i % 8 ? 1000000 : 10) + 1;
        char paper[64];
        divide_on_paper(paper, (uint64_t)numerator, (uint64_t)denominator, 12);
        buf_clear(&b);
        money_add_ratio(&b, numerator, denominator);
        buf_add_char(&b, '\0');
        double distance = fabs(strtod(paper, NULL) - strtod(b.p, NULL));
        double slack = 1e-15 * strtod(paper, NULL); /* of the doubles that compare */
        dice_reach("rounded", numerator % denominator != 0);
        dice_reach("whole", numerator % denominator == 0);
        if (distance > 0.51e-10 + slack)
            fail_msg("%lld / %lld is %s, got %s", (long long)numerator, (long long)denominator,
                     paper, b.p);
    }
    dice_end();
}

static void
a_sum_stands_still_at_what_fits(void **state UNUSED)
{
    assert_int_equal(money_plus(1, -3), -2);
    assert_true(money_plus(INT64_MAX, 1) == INT64_MAX);
    assert_true(money_plus(INT64_MIN, -1) == INT64_MIN);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(amounts_are_read_in_millionths),
        cmocka_unit_test(what_may_mean_something_else_is_refused),
        cmocka_unit_test(amounts_are_written_with_the_decimals_they_have),
        cmocka_unit_test(any_amount_reads_back_as_it_was_written),
        cmocka_unit_test(ratios_are_rounded_half_even_at_the_tenth_decimal),
        cmocka_unit_test(a_ratio_is_within_half_a_place_of_long_division),
        cmocka_unit_test(a_sum_stands_still_at_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
