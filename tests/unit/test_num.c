/* Numbers: what prints reads back bit by bit, the fast way prints what the plain way does, and
 * the grammar takes and refuses what the header says. */
#include "base/num.h"
#include "dice.h"
#include "temp_dir.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_from(expected)))
        fail_msg("'%.*s' is not '%s'", (int)s.n, s.p, expected);
}

static void
assert_i64_round_trips(int64_t v)
{
    scoped_buf b;
    buf_init(&b, 64);
    num_add_i64(&b, v);
    int64_t again;
    assert_true(num_parse_i64(buf_str(&b), &again));
    assert_true(again == v);
}

static void
integers_print_then_parse(void **state UNUSED)
{
    dice_begin(__func__);
    assert_i64_round_trips(INT64_MIN);
    assert_i64_round_trips(INT64_MAX);
    for (size_t i = 0; i < dice_rounds(10000); i++)
        assert_i64_round_trips((int64_t)dice_u64() >> i % 64);
    dice_end();
}

static void
integers_beyond_their_range_are_refused(void **state UNUSED)
{
    int64_t i;
    uint64_t u;
    assert_true(num_parse_i64(STR("+9223372036854775807"), &i) && i == INT64_MAX);
    assert_true(num_parse_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(num_parse_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    static const char *const BAD[] = {"9223372036854775808",
                                      "-9223372036854775809",
                                      "",
                                      "-",
                                      "+",
                                      "+-1",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "1.0",
                                      "1e3",
                                      "--1"};
    for (size_t n = 0; n < COUNT_OF(BAD); n++)
        assert_false(num_parse_i64(str_from(BAD[n]), &i));
    assert_false(num_parse_u64(STR("18446744073709551616"), &u));
    assert_false(num_parse_u64(STR("-1"), &u));
    assert_false(num_parse_u64(STR("+1"), &u));
}

/* The plain way, which num_add_f64 has to agree with. */
static void
print_slowly(double v, char text[64])
{
    bool is_integer = v == trunc(v) && fabs(v) <= 9007199254740992.0;
    for (int digits = is_integer                          ? 17
                      : fabs(v) < 2.2250738585072014e-308 ? 1
                                                          : 15;
         digits <= 17; digits++) {
        snprintf(text, 64, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            return;
    }
}

static void
assert_f64_round_trips(double v)
{
    scoped_buf b;
    buf_init(&b, 64);
    num_add_f64(&b, v);
    char expected[64];
    print_slowly(v, expected);
    assert_str(buf_str(&b), expected);
    double again;
    assert_true(num_parse_f64(buf_str(&b), &again));
    assert_memory_equal(&again, &v, sizeof(v));
}

static void
reals_print_then_parse(void **state UNUSED)
{
    dice_begin(__func__);
    static const double VALUES[] = {0.0,
                                    -0.0,
                                    1,
                                    -1,
                                    0.1,
                                    19.99,
                                    1e-4,
                                    9.9999e-5,
                                    1e300,
                                    5e-324,
                                    2.2250738585072014e-308,
                                    1.7976931348623157e308,
                                    9007199254740991,
                                    9007199254740992,
                                    1e15,
                                    123456789.123456,
                                    0.30000000000000004,
                                    999999999.999999,
                                    1e9 + 0.5,
                                    1 / 3.0};
    for (size_t i = 0; i < COUNT_OF(VALUES); i++)
        assert_f64_round_trips(VALUES[i]);
    for (size_t i = 0; i < dice_rounds(20000); i++) {
        uint64_t bits = dice_u64();
        double v;
        memcpy(&v, &bits, sizeof(v));
        if (isfinite(v))
            assert_f64_round_trips(v);
        dice_reach("finite", isfinite(v));
        dice_reach("subnormal", fpclassify(v) == FP_SUBNORMAL);
        assert_f64_round_trips((double)(dice_u64() % 1000000) / 100);
        assert_f64_round_trips((double)(int64_t)(dice_u64() >> 12) / pow(10, (double)(i % 16)));
    }
    dice_end();
}

static void
reals_follow_the_grammar(void **state UNUSED)
{
    static const struct {
        const char *text;
        double value;
    } GOOD[] = {
        {"1", 1},
        {"-1.5", -1.5},
        {"+.5", 0.5},
        {"5.", 5},
        {"007.50", 7.5},
        {"1e3", 1000},
        {"1E-2", 0.01},
        {"1.e+2", 100},
        {"0e99999999999999999999", 0},
        {"1e-99999999999999999999", 0},
        {"9007199254740993", 9007199254740992.0},
        {"179769313486231570000000000000000000000e270", 1.7976931348623157e308},
        {"0.1000000000000000055511151231257827021181583404541015625", 0.1},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
    };
    static const char *const BAD[] = {"",          ".",    "-",     "e5",  "1e",   "1e+",
                                      "1..2",      "1,5",  " 1",    "1 ",  "inf",  "nan",
                                      "-Infinity", "0x10", "1e400", "1_0", "1e5.0"};
    for (size_t i = 0; i < COUNT_OF(GOOD); i++) {
        double v;
        if (!num_parse_f64(str_from(GOOD[i].text), &v) || v != GOOD[i].value)
            fail_msg("%s", GOOD[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        double v;
        if (num_parse_f64(str_from(BAD[i]), &v))
            fail_msg("%s", BAD[i]);
    }
}

static void
whole_numbers_are_taken_however_they_are_written(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t value;
    } GOOD[] = {
        {"10", 10},
        {"10.0", 10},
        {"1e1", 10},
        {"1.0E+1", 10},
        {"100e-1", 10},
        {"12300.00e-2", 123},
        {"-10.50e1", -105},
        {"-0", 0},
        {"-0.0", 0},
        {"0e400", 0},
        {"0.000e-400", 0},
        {"1e12", 1000000000000},
        {"1e18", 1000000000000000000},
        {"9007199254740992.0", 9007199254740992},
        {"9007199254740993.0", 9007199254740993},
        {"9223372036854775807.000", INT64_MAX},
        {"-9223372036854775808e0", INT64_MIN},
        {"922337203685477580.7e1", INT64_MAX},
        {"0.0000000000000000000000000000009223372036854775807e49", INT64_MAX},
    };
    static const char *const BAD[] = {
        "10.5",     "1e-1",
        "105e-2",   "0.1",
        "1.0e400",  "1e-400",
        "1e19",     "12345678901234567890.0",
        "1.0.0",    "9223372036854775808.0",
        "",         "-9223372036854775809e0",
        "1e",       "9007199254740992.0000000000000000000000000000000000001",
        "e1",       "1e99999999999999999999",
        " 10.0",    "-1e-99999999999999999999",
        "Infinity", "0.99999999999999999999999999",
    };
    int64_t v;
    for (size_t i = 0; i < COUNT_OF(GOOD); i++)
        if (!num_parse_whole(str_from(GOOD[i].text), &v) || v != GOOD[i].value)
            fail_msg("%s", GOOD[i].text);
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        if (num_parse_whole(str_from(BAD[i]), &v))
            fail_msg("%s is %" PRId64, BAD[i], v);
}

/* digits * 10^power, false when that is no int64. */
static bool
scale(int64_t digits, int power, int64_t *out)
{
    __extension__ __int128 v = digits;
    for (; power > 0 && v >= INT64_MIN && v <= INT64_MAX; power--)
        v *= 10;
    for (; power < 0 && v % 10 == 0 && v != 0; power++)
        v /= 10;
    *out = (int64_t)v;
    return (power >= 0 || v == 0) && v >= INT64_MIN && v <= INT64_MAX;
}

static void
whole_numbers_agree_with_wide_arithmetic(void **state UNUSED)
{
    dice_begin(__func__);
    for (size_t i = 0; i < dice_rounds(200000); i++) {
        int64_t digits = (int64_t)dice_u64() >> dice_below(64), v = 0, wanted;
        digits -= digits % (int64_t)pow(10, (double)(dice_below(8))); /* zeros at its end */
        char plain[24], text[64];
        int n = snprintf(plain, sizeof(plain), "%" PRId64, digits);
        int after = (int)(dice_below((uint64_t)(n - (digits < 0))));
        int exponent = (int)(dice_below(40)) - 20;
        snprintf(text, sizeof(text), "%.*s%s%se%d", n - after, plain, after ? "." : "",
                 plain + n - after, exponent);
        bool is_whole = scale(digits, exponent - after, &wanted);
        if (num_parse_whole(str_from(text), &v) != is_whole || (is_whole && v != wanted))
            fail_msg("%s is %" PRId64, text, v);
        dice_reach("whole", is_whole);
        dice_reach("not whole", !is_whole);
    }
    dice_end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_print_then_parse),
        cmocka_unit_test(integers_beyond_their_range_are_refused),
        cmocka_unit_test(reals_print_then_parse),
        cmocka_unit_test(reals_follow_the_grammar),
        cmocka_unit_test(whole_numbers_are_taken_however_they_are_written),
        cmocka_unit_test(whole_numbers_agree_with_wide_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
