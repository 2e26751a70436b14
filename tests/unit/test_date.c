/* The calendar: days and moments of its whole span read back as printed, and what does not
 * exist is refused. */
#include "base/date.h"
#include "dice.h"
#include "temp_dir.h"

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_from(expected)))
        fail_msg("'%.*s' is not '%s'", (int)s.n, s.p, expected);
}

static void
every_day_of_the_calendar_round_trips(void **state UNUSED)
{
    scoped_buf b;
    buf_init(&b, 64);
    int64_t last = date_from_ymd(9999, 12, 31), expected = date_from_ymd(1, 1, 1);
    assert_int_equal(date_from_ymd(1970, 1, 1), 0);
    assert_int_equal(date_from_ymd(2000, 3, 1), 11017);
    for (int64_t day = expected; day <= last; day += day % 97 == 0 ? 31 : 13) {
        int y, m, d;
        date_to_ymd(day, &y, &m, &d);
        assert_int_equal(date_from_ymd(y, m, d), day);
        buf_clear(&b);
        date_add_day(&b, day);
        int64_t again;
        assert_true(date_parse_iso(buf_str(&b), &again));
        assert_int_equal(again, day);
    }
}

static void
only_days_that_exist_are_read(void **state UNUSED)
{
    int64_t day;
    assert_true(date_parse_iso(STR("2000-02-29"), &day));
    assert_true(date_parse_iso(STR("2024-02-29"), &day));
    static const char *const BAD[] = {
        "1900-02-29", "2023-02-29",  "2024-02-30", "2024-04-31", "2024-13-01",
        "2024-00-01", "2024-01-00",  "0000-01-01", "2024-1-01",  "2024-01-1",
        "24-01-01",   "2024-01-01 ", "-024-01-01", "2024/01/01", ""};
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        if (date_parse_iso(str_from(BAD[i]), &day))
            fail_msg("%s", BAD[i]);
}

static void
formats_of_the_sample_are_read(void **state UNUSED)
{
    int64_t day;
    assert_true(date_parse_format(STR("Oct 21, 2008"), STR("%b %d, %Y"), &day));
    assert_int_equal(day, date_from_ymd(2008, 10, 21));
    assert_true(date_parse_format(STR("october 2, 2008"), STR("%b %d, %Y"), &day));
    assert_int_equal(day, date_from_ymd(2008, 10, 2));
    assert_true(date_parse_format(STR("May 2020"), STR("%b %Y"), &day));
    assert_int_equal(day, date_from_ymd(2020, 5, 1));
    assert_false(date_parse_format(STR("Octo 21, 2008"), STR("%b %d, %Y"), &day));
    assert_false(date_parse_format(STR("Oct 32, 2008"), STR("%b %d, %Y"), &day));
    assert_false(date_parse_format(STR("Oct 21, 2008x"), STR("%b %d, %Y"), &day));
    assert_false(date_parse_format(STR("Oct 21,"), STR("%b %d, %Y"), &day));
}

static void
assert_moment(const char *text, const char *expected)
{
    int64_t ms;
    if (!date_parse_timestamp(str_from(text), &ms))
        fail_msg("%s", text);
    scoped_buf b;
    buf_init(&b, 64);
    date_add_timestamp(&b, ms);
    assert_str(buf_str(&b), expected);
}

static void
moments_are_read_and_printed(void **state UNUSED)
{
    assert_moment("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z");
    assert_moment("2026-01-31 08:00", "2026-01-31T08:00:00Z");
    assert_moment("2026-01-31T08:00:00.123456789+02:00", "2026-01-31T06:00:00.123Z");
    assert_moment("2026-01-31t00:30:00-01:45", "2026-01-31T02:15:00Z");
    assert_moment("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z");
    assert_moment("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z");
    assert_moment("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
    static const char *const BAD[] = {"2026-01-31",
                                      "2026-01-31T",
                                      "2026-01-31T24:00:00Z",
                                      "2026-01-31T08:60:00Z",
                                      "2026-01-31T08:00:61Z",
                                      "2026-01-31T08:00:00.Z",
                                      "2026-01-31T08:00:00+2:00",
                                      "2026-01-31T08:00:00+24:00",
                                      "2026-01-31T08:00:00Zx",
                                      "2026-02-30T08:00:00Z",
                                      "0001-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        int64_t ms;
        if (date_parse_timestamp(str_from(BAD[i]), &ms))
            fail_msg("%s", BAD[i]);
    }
    scoped_buf b;
    buf_init(&b, 64);
    dice_begin(__func__);
    for (size_t i = 0; i < dice_rounds(5000); i++) {
        int64_t ms = (int64_t)(dice_u64() % UINT64_C(253402300800000)), again;
        buf_clear(&b);
        date_add_timestamp(&b, ms);
        assert_true(date_parse_timestamp(buf_str(&b), &again));
        assert_int_equal(again, ms);
        dice_reach("before 2000", ms < INT64_C(946684800000));
        dice_reach("after", ms > INT64_C(946684800000));
    }
    dice_end();
}

static void
timestamps_of_exports_are_read(void **state UNUSED)
{
    /* 2025-10-20T08:00:00Z, or half a second later. */
    static const struct {
        const char *text;
        bool has_zone, has_half;
    } SAME[] = {
        {"2025-10-20T08:00:00Z", true, false},
        {"2025-10-20t08:00:00z", true, false},
        {"2025-10-20 08:00:00Z", true, false},
        {"2025-10-20 08:00:00 UTC", true, false},
        {"2025-10-20T08:00 utc", true, false},
        {"2025-10-20 08:00", false, false},
        {"2025-10-20T08:00:00", false, false},
        {"2025/10/20 08:00", false, false},
        {"2025/10/20T08:00:00.5Z", true, true},
        {"2025-10-20 08:00:00.500", false, true},
        {"2025-10-20 08:00:00.5009999999999999+00", true, true},
        {"2025-10-20 10:00:00+02", true, false},
        {"2025-10-20T10:00+0200", true, false},
        {"2025-10-20T03:30:00.5-04:30", true, true},
        {"2025/10/21 07:59:00+23:59", true, false},
        {"2025-10-20 08:00:00-00:00", true, false},
    };
    const int64_t wanted = INT64_C(1760947200000);
    for (size_t i = 0; i < COUNT_OF(SAME); i++) {
        int64_t ms = 0;
        bool has_zone = !SAME[i].has_zone;
        if (!date_parse_exported_timestamp(str_from(SAME[i].text), &ms, &has_zone) ||
            ms != wanted + 500 * SAME[i].has_half || has_zone != SAME[i].has_zone)
            fail_msg("'%s' is %lld", SAME[i].text, (long long)ms);
    }
}

static void
what_is_no_timestamp_is_refused(void **state UNUSED)
{
    static const char *const BAD[] = {"",
                                      "2025-10-20",
                                      "2025-10-20T",
                                      "2025-10-20 08",
                                      "2025-10-20 8:00",
                                      "2025-10-2008:00",
                                      "2025-10/20 08:00",
                                      "2025/10-20 08:00",
                                      "20/10/2025 08:00",
                                      "2025-10-20  08:00",
                                      "2025-10-20 08:00:",
                                      "2025-10-20 08:00:0",
                                      "2025-10-20 08:00:000",
                                      "2025-10-20 08:00.5",
                                      "2025-10-20 08:00:00.",
                                      "2025-10-20 08:00:00.Z",
                                      "2025-10-20 08:00:00,5",
                                      "2025-10-20 08:00:00UTC",
                                      "2025-10-20 08:00:00  UTC",
                                      "2025-10-20 08:00:00 Z",
                                      "2025-10-20 08:00:00 +02",
                                      "2025-10-20 08:00:00 UTC+2",
                                      "2025-10-20 08:00:00GMT",
                                      "2025-10-20 08:00:00+2",
                                      "2025-10-20 08:00:00+020",
                                      "2025-10-20 08:00:00+02:",
                                      "2025-10-20 08:00:00+02:0",
                                      "2025-10-20 08:00:00+02:000",
                                      "2025-10-20 08:00:00+02000",
                                      "2025-10-20 08:00:00+24",
                                      "2025-10-20 08:00:00+02:60",
                                      "2025-10-20 08:00:00+",
                                      "2025-10-20 08:00:00Z ",
                                      "2025-10-20 08:00:00ZZ",
                                      "2025-10-20 24:00:00Z",
                                      "2025-10-20 08:60",
                                      "2025-10-20 08:00:60",
                                      "2016-12-31T23:59:60Z",
                                      "2025-02-29 00:00",
                                      "0001-01-01T00:00:00+00:01",
                                      "9999-12-31T23:59:59-00:01"};
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        int64_t ms = 42;
        bool has_zone;
        if (date_parse_exported_timestamp(str_from(BAD[i]), &ms, &has_zone) || ms != 42)
            fail_msg("'%s' was taken", BAD[i]);
    }
}

static void
a_zone_is_an_offset(void **state UNUSED)
{
    static const struct {
        const char *text;
        int64_t minutes;
    } CASES[] = {{"", 0},          {"UTC", 0},      {"utc", 0},
                 {"Z", 0},         {"+00:00", 0},   {"+02:00", 120},
                 {"-05:30", -330}, {"+14:00", 840}, {"-23:59", -1439}};
    static const char *const REFUSED[] = {"+2",      "+24:00",        "+02:60", "02:00",
                                          "+02:00 ", "+0200",         "CET",    "+",
                                          "-",       "Europe/Berlin", "+-2:00", "z"};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        int64_t ms = 42;
        assert_true(date_parse_zone(str_from(CASES[i].text), &ms));
        assert_int_equal(ms, CASES[i].minutes * 60000);
    }
    for (size_t i = 0; i < COUNT_OF(REFUSED); i++) {
        int64_t ms = 42;
        if (date_parse_zone(str_from(REFUSED[i]), &ms) || ms != 42)
            fail_msg("'%s' was taken", REFUSED[i]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_the_calendar_round_trips),
        cmocka_unit_test(only_days_that_exist_are_read),
        cmocka_unit_test(formats_of_the_sample_are_read),
        cmocka_unit_test(moments_are_read_and_printed),
        cmocka_unit_test(timestamps_of_exports_are_read),
        cmocka_unit_test(what_is_no_timestamp_is_refused),
        cmocka_unit_test(a_zone_is_an_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
