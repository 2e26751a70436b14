/* What the reports read: matched, checked and counted row by row, and an input that cannot be
 * used says why. */
#include "report_fixture.h"

#include "embedded/engine.h"
#include "embedded/files.h"
#include "store/rows.h"

static void
only_the_earliest_confirmation_of_a_receipt_counts(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "confirmed_purchases.csv",
               STR(CONFIRMED_HEADER "a,purchase,2025-10-20T09:00:00Z,1,c,R1\n"
                                    "a,purchase,2025-10-20T08:00:00Z,1,c,R1\n"
                                    "a,purchase,yesterday,1,c,R2\n"
                                    "a,purchase,2025-10-20T09:00:00Z,$1,c,R3\n"
                                    "a,purchase,2025-10-20T09:00:00Z,-1,c,\n"
                                    "a,purchase,2025-10-20T09:00:00Z,-1,c,\n"));
    must_read(&f, DAY);
    expect_reasons(&f, &f.data.confirmed, "duplicate kept bad_time bad_revenue kept kept");
    assert_int_equal(f.data.input_warning_counts[INPUT_CONFIRMED], 2);
    const struct report_warning *warnings = f.data.input_warnings[INPUT_CONFIRMED];
    assert_string_equal(
        warnings[0].detail.p,
        "confirmed_purchases line 4: event_time_utc is a time, got 'yesterday'");
    assert_string_equal(warnings[1].detail.p, "confirmed_purchases line 5: revenue_usd is an "
                                              "amount like 4.99, got '$1'");
}

static void
files_are_matched_as_declared_datasets_are(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    /* A mark, semicolons, other names, another order, one column too many, CR LF. */
    write_text(f.dir, "purchases_raw.csv",
               STR("\xef\xbb\xbf"
                   "STATUS;AppsFlyer ID;Event Name;Event Time;Media;Event Revenue USD;Campaign;"
                   "Receipt_ID\r\n"
                   "success;a;purchase;2025-10-20 09:00:00;x;4,99; spring;R1\r\n"
                   "success;a;purchase;2025-10-20 09:00:01;x;4,99;;R2\r\n"));
    must_read(&f, DAY);
    assert_int_equal(f.data.purchases.count, 2);
    const struct purchase *p = f.data.purchases.rows;
    expect_reasons(&f, &f.data.purchases, "kept kept");
    assert_int_equal(p[0].revenue, 4990000);
    assert_true(str_eq(name_text(f.data.names, p[0].campaign), STR("SPRING")));
    assert_true(str_eq(name_text(f.data.names, p[1].campaign), STR("(NONE)")));
}

static void
campaigns_are_upper_cased_in_all_of_unicode(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "costs_daily.csv",
               STR("date,campaign,ad_cost_usd\n2025-10-20, \xc3\xa9t\xc3\xa9 ,1\n"
                   "2025-10-20,\xc3\x89T\xc3\x89,0.5\n2025-10-20,stra\xc3\x9f"
                   "e,2\n2025-10-20,STRASSE,3\n"));
    must_read(&f, DAY);
    assert_int_equal(f.data.cost_count, 2);
    assert_int_equal(f.data.costs[0].cost, 1500000);
    assert_true(
        str_eq(name_text(f.data.names, f.data.costs[0].campaign), STR("\xc3\x89T\xc3\x89")));
    assert_true(str_eq(name_text(f.data.names, f.data.costs[1].campaign), STR("STRASSE")));
    assert_int_equal(f.data.costs[1].cost, 5000000);
}

static void
lines_are_physical_and_bad_rows_are_named(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER
                   "\n"
                   "\"a\nb\",purchase,2025-10-20T09:00:00Z,1,c,R1,success\n"
                   "a,purchase,2025-10-20T09:00:00Z,1\n"
                   "a,purchase,2025-10-20T09:00:00Z,1,c,\xff,success\n"
                   "a,purchase,2025-10-20T09:00:00Z,1,\xc3\xa9t\xc3\xa9,R2,success\n"
                   "\"a,purchase,2025-10-20T09:00:00Z,1,c,R3,success\n"));
    must_read(&f, DAY);
    assert_int_equal(f.data.purchases.count, 2);
    assert_int_equal(f.data.purchases.rows[0].line, 3);
    assert_int_equal(f.data.purchases.rows[1].line, 7);
    static const char *const EXPECTED[] = {"purchases_raw line 5: wrong_cell_count",
                                           "purchases_raw line 6: invalid_utf8",
                                           "purchases_raw line 8: unclosed_quote"};
    assert_int_equal(f.data.input_warning_counts[INPUT_PURCHASES], COUNT_OF(EXPECTED));
    for (size_t i = 0; i < COUNT_OF(EXPECTED); i++)
        assert_string_equal(f.data.input_warnings[INPUT_PURCHASES][i].detail.p, EXPECTED[i]);
}

static void
purchases_whose_time_or_revenue_is_unread_are_counted(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER
                   "a,purchase,20.10.2025 09:00,1,c,R1,success\n"
                   "a,purchase,,1,c,R2,success\n"
                   "a,purchase,2025-10-20T09:00:00Z,\"1.234,50\",c,R3,success\n"
                   "a,level_up,2025-10-20T09:00:00Z,,c,,\n"));
    must_read(&f, DAY);
    const struct report_warning *warnings = f.data.input_warnings[INPUT_PURCHASES];
    assert_int_equal(f.data.input_warning_counts[INPUT_PURCHASES], 2);
    assert_true(str_eq(warnings[0].code, STR("unread_times")));
    assert_string_equal(warnings[0].detail.p,
                        "purchases_raw: rows with a time that cannot be read: 2, the first in "
                        "line 2: '20.10.2025 09:00'; no figure has them");
    assert_true(str_eq(warnings[1].code, STR("unread_revenues")));
    assert_string_equal(warnings[1].detail.p,
                        "purchases_raw: rows with a revenue that cannot be read: 1, the first "
                        "in line 4: '1.234,50'; no figure has them");
}

static void
of_many_bad_rows_the_first_hundred_are_named_and_all_counted(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    scoped_buf csv;
    buf_init(&csv, MIB);
    buf_add_lit(&csv, "date,campaign,ad_cost_usd\n2025-10-20,c,5\n");
    for (int i = 0; i < 250; i++)
        buf_add(&csv, i % 2 ? STR("20.10.2025,c,1\n") : STR("2025-10-20,c,free\n"));
    write_text(f.dir, "costs_daily.csv", buf_str(&csv));
    must_read(&f, DAY);
    assert_int_equal(f.data.cost_count, 1);
    assert_int_equal(f.data.inputs[INPUT_COSTS].row_count, 251);
    assert_int_equal(f.data.input_warning_counts[INPUT_COSTS], 101);
    const struct report_warning *warnings = f.data.input_warnings[INPUT_COSTS];
    assert_string_equal(warnings[0].detail.p,
                        "costs_daily line 3: ad_cost_usd is an amount like 150.25, got 'free'");
    assert_string_equal(warnings[1].detail.p,
                        "costs_daily line 4: date is YYYY-MM-DD, got '20.10.2025'");
    assert_string_equal(
        warnings[100].detail.p,
        "costs_daily: 250 rows cannot be used; the first 100 of them are named");
}

static void
an_input_that_cannot_be_used_says_why(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "purchases_raw.csv",
               STR("appsflyer_id,event,event_time_utc,revenue,campaign,receipt_id,status\n"));
    write_text(f.dir, "confirmed_purchases.csv", (struct str){0});
    write_text(f.dir, "costs_daily.csv", STR("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    must_read(&f, DAY);
    static const char *const CODES[INPUT_COUNT] = {"missing_columns", "empty_file", "not_csv",
                                                   "missing_input"};
    for (size_t i = 0; i < INPUT_COUNT; i++)
        assert_string_equal(err_code(&f.data.input_errors[i]), CODES[i]);
    const char *detail = f.data.input_errors[INPUT_PURCHASES].detail;
    assert_non_null(strstr(detail, "'event_name' (nearest: 'event')"));
    assert_non_null(strstr(detail, "'revenue_usd' (nearest: 'revenue')"));
}

static void
inputs_have_to_be_declared_as_text_without_a_key(void **state)
{
    static const char *const SETTINGS[] = {
        "datasets:\n  pets:\n    columns: [{name: a, type: text}]\n",
        "datasets:\n  costs_daily:\n    columns: [{name: date, type: date}, {name: campaign, "
        "type: text}, {name: ad_cost_usd, type: text}]\n",
        "datasets:\n  costs_daily:\n    columns: [{name: date, type: text, key: true}, {name: "
        "campaign, type: text}, {name: ad_cost_usd, type: text}]\n",
        "datasets:\n  costs_daily:\n    columns: [{name: date, type: text}, {name: campaign, "
        "type: text}]\n",
    };
    struct temp_dir *dir = *state;
    write_text(dir, "costs_daily.csv", STR("date,campaign,ad_cost_usd\n2025-10-20,c,1\n"));
    for (size_t i = 0; i < COUNT_OF(SETTINGS); i++) {
        scoped_fixture f;
        begin(&f, dir, SETTINGS[i]);
        must_read(&f, DAY);
        assert_string_equal(err_code(&f.data.input_errors[INPUT_COSTS]), "undeclared_input");
    }
}

static void
the_day_before_the_newest_is_found(void **state)
{
    scoped_fixture f;
    struct err err = {0};
    begin(&f, *state, "");
    write_text(f.dir, "purchases_raw.csv", STR(PURCHASES_HEADER));
    assert_false(read_files(&f, REPORT_DAY_NEWEST, &err));
    assert_string_equal(err_code(&err), "no_day");
    write_text(f.dir, "sessions.csv",
               STR("event_timestamp_utc,user_id,event_name\n"
                   "2025-10-21T23:59:59-02:00,u1,x\n" /* the 22nd in UTC */
                   "2025-10-21T00:00:00Z,u1,x\n2025-10-21T08:00:00Z,u2,x\n"
                   "2025-10-21T09:00:00Z, u2 ,x\n2025-10-20T09:00:00Z,u3,x\n"
                   "2025-10-21T09:00:00Z,,x\nnever,u4,x\n"));
    must_read(&f, REPORT_DAY_NEWEST);
    assert_int_equal(f.data.day, day_of("2025-10-21"));
    assert_int_equal(f.data.sessions.count, 2);
    assert_int_equal(f.data.input_warning_counts[INPUT_SESSIONS], 2);
    write_text(f.dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER "a,level_up,2025-10-24T00:00:00Z,x,c,R,pending\n"));
    must_read(&f, REPORT_DAY_NEWEST);
    assert_int_equal(f.data.day, day_of("2025-10-23"));
    assert_int_equal(f.data.sessions.count, 0);
}

static void
a_clock_that_is_ahead_does_not_move_the_newest_day(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER "a,purchase,2025-10-21T23:59:59Z,1,c,R1,success\n"
                                    "b,purchase,2025-10-22T00:00:00Z,1,c,R2,success\n"));
    write_text(f.dir, "sessions.csv",
               STR("event_timestamp_utc,user_id,event_name\n2099-01-01T00:00:00Z,u1,x\n"));
    f.now_ms = day_of("2025-10-21") * DATE_MS_PER_DAY;
    must_read(&f, REPORT_DAY_NEWEST);
    assert_int_equal(f.data.day, day_of("2025-10-20"));
    assert_int_equal(f.data.newest_day, day_of("2025-10-21"));
}

static void
times_without_a_zone_are_in_the_time_zone_of_the_dataset(void **state)
{
    scoped_fixture f;
    begin(
        &f, *state,
        "datasets:\n  sessions:\n    time_zone: \"+05:30\"\n    columns:\n"
        "      - {name: event_timestamp_utc, type: text}\n      - {name: user_id, type: text}\n"
        "      - {name: event_name, type: text}\n");
    write_text(f.dir, "sessions.csv",
               STR("event_timestamp_utc,user_id,event_name\n"
                   "2025-10-21 05:29:59,u1,x\n" /* the 20th in UTC */
                   "2025-10-21 05:30:00,u2,x\n2025-10-21T05:00:00Z,u3,x\n"));
    must_read(&f, DAY);
    assert_int_equal(f.data.sessions.count, 1);
    must_read(&f, DAY + 1);
    assert_int_equal(f.data.sessions.count, 2);
    assert_true(str_eq(f.data.inputs[INPUT_SESSIONS].time_zone, STR("+05:30")));
}

static void
a_pattern_that_is_none_is_refused(void **state)
{
    scoped_fixture f;
    struct err err = {0};
    begin(&f, *state, "");
    f.config.reports_receipt_pattern = STR("^RCP-[0-9");
    assert_false(read_files(&f, DAY, &err));
    assert_string_equal(err_code(&err), "bad_pattern");
}

static void
sums_that_meet_their_bound_are_told(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER
                   "a,purchase,2025-10-20T09:00:00Z,9223372036854.775806,c,R1,success\n"
                   "a,purchase,2025-10-20T09:00:00Z,9223372036854.775808,c,R2,success\n"));
    write_text(
        f.dir, "costs_daily.csv",
        STR("date,campaign,ad_cost_usd\n2025-10-20,c,-9223372036854\n2025-10-20,c,-1\n"));
    must_read(&f, DAY);
    assert_int_equal(f.data.input_warning_counts[INPUT_PURCHASES], 1);
    assert_true(str_eq(f.data.input_warnings[INPUT_PURCHASES][0].code, STR("unread_revenues")));
    expect_reasons(&f, &f.data.purchases, "kept bad_revenue");
    assert_int_equal(f.data.input_warning_counts[INPUT_COSTS], 1);
    assert_true(str_eq(f.data.input_warnings[INPUT_COSTS][0].code, STR("amounts_too_large")));
}

static void
a_line_that_no_number_here_holds_is_refused(void **state)
{
    scoped_fixture f;
    struct err err;
    struct str names[INPUT_COLUMNS_MAX];
    struct rows_column columns[INPUT_COLUMNS_MAX];
    struct value cells[INPUT_COLUMNS_MAX];
    begin(&f, *state, "");
    size_t count = input_columns(INPUT_CONFIRMED, names);
    for (size_t i = 0; i < count; i++) {
        columns[i] = (struct rows_column){.name = names[i], .type = COLUMN_TEXT};
        cells[i] = (struct value){.is_null = true};
    }
    assert_true(fs_make_dirs(temp_path(f.dir, "datasets/1/job"), &err));
    const char *path = temp_path(f.dir, "datasets/1/job/rows.db");
    struct rows_builder *b = rows_build_begin(path, columns, count, &err);
    assert_true(b && rows_build_add(b, cells, UINT64_C(1) << 32, &err) &&
                rows_build_finish(&b, &err));
    f.data = (struct report_data){.config = &f.config, .arena = &f.dir->arena};
    struct input_versions versions = {
        .data_dir = f.dir->path, .files = &EMBEDDED_FILES, .engine = &EMBEDDED_ENGINE};
    versions.state = versions.engine->start(NULL, f.dir->path, 0);
    f.data.inputs[INPUT_CONFIRMED] =
        (struct input_source){.is_there = true,
                              .versions = &versions,
                              .version = {.dataset_id = 1, .job_id = STR("job")}};
    assert_true(data_read(&f.data, DAY, &err));
    assert_string_equal(err_code(&f.data.input_errors[INPUT_CONFIRMED]), "too_large");
    versions.engine->stop(&versions.state);
}

static void
the_first_and_the_last_day_have_names(void **state)
{
    scoped_fixture f;
    begin(&f, *state, "");
    write_text(f.dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER "a,purchase,0000-12-31T23:59:59Z,1,c,R1,success\n"
                                    "a,purchase,0001-01-01T00:00:00Z,1,c,R1,success\n"));
    must_read(&f, REPORT_DAY_NEWEST);
    assert_int_equal(f.data.day, day_of("0001-01-01"));
    write_text(f.dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER "a,purchase,9999-12-31T23:59:59.999Z,1,c,R1,success\n"
                                    "a,purchase,9999-12-31T23:59:59-00:01,1,c,R1,success\n"));
    must_read(&f, REPORT_DAY_NEWEST);
    expect_reasons(&f, &f.data.purchases, "kept bad_time");
    assert_int_equal(f.data.day, day_of("9999-12-30"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_set_up, temp_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_the_earliest_confirmation_of_a_receipt_counts),
        TEST(files_are_matched_as_declared_datasets_are),
        TEST(campaigns_are_upper_cased_in_all_of_unicode),
        TEST(lines_are_physical_and_bad_rows_are_named),
        TEST(purchases_whose_time_or_revenue_is_unread_are_counted),
        TEST(of_many_bad_rows_the_first_hundred_are_named_and_all_counted),
        TEST(an_input_that_cannot_be_used_says_why),
        TEST(inputs_have_to_be_declared_as_text_without_a_key),
        TEST(the_day_before_the_newest_is_found),
        TEST(a_clock_that_is_ahead_does_not_move_the_newest_day),
        TEST(times_without_a_zone_are_in_the_time_zone_of_the_dataset),
        TEST(a_pattern_that_is_none_is_refused),
        TEST(sums_that_meet_their_bound_are_told),
        TEST(a_line_that_no_number_here_holds_is_refused),
        TEST(the_first_and_the_last_day_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
