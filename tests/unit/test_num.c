/* Numbers: what prints reads back bit by bit, the fast way prints what the plain way does, and
 * the grammar takes and refuses what the header says. */
#include "base/num.h"
#include "temp_dir.h"

#include <math.h>
#include <string.h>

static uint64_t seed = 88172645463325252;

static uint64_t
random_u64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

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
    assert_i64_round_trips(INT64_MIN);
    assert_i64_round_trips(INT64_MAX);
    for (int i = 0; i < 10000; i++)
        assert_i64_round_trips((int64_t)random_u64() >> i % 64);
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
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = random_u64();
        double v;
        memcpy(&v, &bits, sizeof(v));
        if (isfinite(v))
            assert_f64_round_trips(v);
        assert_f64_round_trips((double)(random_u64() % 1000000) / 100);
        assert_f64_round_trips((double)(int64_t)(random_u64() >> 12) / pow(10, i % 16));
    }
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_print_then_parse),
        cmocka_unit_test(integers_beyond_their_range_are_refused),
        cmocka_unit_test(reals_print_then_parse),
        cmocka_unit_test(reals_follow_the_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
