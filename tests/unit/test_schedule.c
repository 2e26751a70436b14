/* The daily run of the reports: when it is due, and that a day has one; and what is stored of a
 * run that is done. */
#include "temp_db.h"

#include "base/date.h"
#include "reports/archive.h"
#include "reports/schedule.h"

#define DAY INT64_C(20400) /* 2025-11-08 */
#define HOUR INT64_C(3600000)

static int
tick(struct temp_db *t, struct schedule *schedule, const char *at, int64_t now_ms)
{
    struct err err = {0};
    struct config config = {.reports_at = str_from(at)};
    int got = schedule_tick(schedule, &config, t->db, t->writer, now_ms, &err);
    if (got < 0)
        fail_msg("%s", err.detail);
    return got;
}

static size_t
jobs(struct temp_db *t, struct job **out)
{
    struct err err = {0};
    struct job_filter filter = {.limit = 100};
    size_t count;
    assert_true(job_list(&t->arena, t->db, &filter, out, &count, &err));
    return count;
}

static void
a_time_of_day_is_two_numbers_within_a_day(void **state UNUSED)
{
    static const char *const BAD[] = {"",       "2:15",   "24:00", "02:60", "0215",
                                      "02:15 ", "02:15Z", "-2:15", "02.15", "aa:bb"};
    int64_t ms = -1;
    for (size_t i = 0; i < COUNT_OF(BAD); i++)
        if (date_parse_time_of_day(str_from(BAD[i]), &ms))
            fail_msg("'%s' was read as a time of day", BAD[i]);
    assert_int_equal(ms, -1);
    assert_true(date_parse_time_of_day(STR("00:00"), &ms) && ms == 0);
    assert_true(date_parse_time_of_day(STR("02:15"), &ms) && ms == 2 * HOUR + 15 * 60000);
    assert_true(date_parse_time_of_day(STR("23:59"), &ms) && ms == 24 * HOUR - 60000);
}

static void
a_run_for_yesterday_is_enqueued_at_its_minute(void **state)
{
    struct temp_db *t = *state;
    struct schedule schedule = {0};
    struct job *list;
    int64_t due = DAY * DATE_MS_PER_DAY + 2 * HOUR + 15 * 60000;
    assert_int_equal(tick(t, &schedule, "02:15", due - 1), 0);
    assert_int_equal(jobs(t, &list), 0);
    assert_int_equal(tick(t, &schedule, "02:15", due), 1);
    assert_int_equal(jobs(t, &list), 1);
    assert_true(str_eq(list[0].kind, STR("report")) && list[0].dataset.n == 0);
    struct archive_request request;
    struct err err = {0};
    assert_true(archive_job_parse(&t->arena, list[0].options, &request, &err));
    assert_true(request.is_scheduled && str_eq(request.date, STR("2025-11-07")));
}

static void
a_day_has_one_run_also_for_another_process(void **state)
{
    struct temp_db *t = *state;
    struct schedule first = {0}, second = {0};
    struct job *list;
    int64_t now = DAY * DATE_MS_PER_DAY + 12 * HOUR; /* the minute itself was missed */
    assert_int_equal(tick(t, &first, "02:15", now), 1);
    assert_int_equal(tick(t, &first, "02:15", now + 1), 0);
    assert_int_equal(tick(t, &second, "02:15", now + 2), 0);
    assert_int_equal(tick(t, &second, "13:00", now + 2 * HOUR), 0); /* by another setting */
    assert_int_equal(jobs(t, &list), 1);
    assert_int_equal(tick(t, &second, "02:15", now + 24 * HOUR), 1);
    assert_int_equal(tick(t, &first, "02:15", now + 24 * HOUR), 0);
    assert_int_equal(jobs(t, &list), 2);
}

static void
two_that_saw_no_run_enqueue_one(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct archive_request request = {.date = STR("2025-11-07"), .is_scheduled = true};
    struct job one = archive_job(&t->arena, &request), other = archive_job(&t->arena, &request);
    struct job *list;
    bool is_enqueued = false;
    assert_true(archive_schedule(t->writer, STR("2025-11-08"), &one, &is_enqueued, &err));
    assert_true(is_enqueued);
    assert_true(archive_schedule(t->writer, STR("2025-11-08"), &other, &is_enqueued, &err));
    assert_false(is_enqueued);
    assert_int_equal(jobs(t, &list), 1);
    assert_true(str_eq(list[0].id, one.id));
}

static void
without_a_time_nothing_is_enqueued(void **state)
{
    struct temp_db *t = *state;
    struct schedule schedule = {0};
    struct job *list;
    assert_int_equal(tick(t, &schedule, "", DAY * DATE_MS_PER_DAY + 23 * HOUR), 0);
    assert_int_equal(jobs(t, &list), 0);
}

/* Enqueues, claims and stores a run in which `failed` could not be made. */
static void
store(struct temp_db *t, const char *date, const char *failed, bool is_stored)
{
    struct err err = {0};
    struct archive_request request = {.date = str_from(date)};
    struct job job = archive_job(&t->arena, &request);
    assert_true(job_enqueue(t->writer, &job, &err));
    if (is_stored)
        assert_int_equal(job_claim_one(&t->arena, t->writer, job.id, &job, &err), 1);
    else
        assert_true(job_cancel(t->writer, job.id, &err));
    struct archive_report reports[2] = {{.name = STR("arpdau_d1")}, {.name = STR("roas_d1")}};
    for (size_t i = 0; i < 2; i++) {
        bool is_made = !str_eq(reports[i].name, str_from(failed));
        reports[i].warnings_json = STR("[]");
        reports[i].sha256 = is_made ? job.id : STR("");
        reports[i].error_json = is_made ? STR("") : STR("{\"code\":\"missing_input\"}");
    }
    struct archive_run run = {.job_id = job.id,
                              .date = str_from(date),
                              .inputs_json = STR("[]"),
                              .reports = reports,
                              .report_count = 2,
                              .receipt_json = STR("{\"date\":\"x\"}")};
    assert_int_equal(archive_store(t->writer, &run, &err), is_stored);
    job = temp_db_job(t, job.id);
    assert_int_equal(job.state, is_stored ? JOB_SUCCEEDED : JOB_CANCELLED);
}

static struct archive_run
find(struct temp_db *t, const char *name, const char *date, int expected)
{
    struct err err = {0};
    struct archive_report report = {0};
    struct archive_run run = {0};
    int got =
        archive_find(&t->arena, t->db, str_from(name), str_from(date), &report, &run, &err);
    assert_int_equal(got, expected);
    if (got)
        assert_true(str_eq(report.sha256, run.job_id));
    return run;
}

static void
the_newest_date_and_its_last_run_that_made_a_report_count(void **state)
{
    struct temp_db *t = *state;
    store(t, "2025-10-20", "", true);
    store(t, "2025-10-21", "roas_d1", true);
    store(t, "2025-10-19", "", true);
    store(t, "2025-10-22", "", false); /* cancelled before it was stored */
    assert_true(str_eq(find(t, "arpdau_d1", "", 1).date, STR("2025-10-21")));
    assert_true(str_eq(find(t, "roas_d1", "", 1).date, STR("2025-10-20")));
    assert_true(str_eq(find(t, "roas_d1", "2025-10-19", 1).date, STR("2025-10-19")));
    find(t, "roas_d1", "2025-10-21", 0);
    find(t, "roas_d1", "2025-10-22", 0);
    find(t, "deeplink", "", 0);
}

static void
runs_are_listed_newest_first_with_their_reports(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct archive_filter filter = {.limit = 2};
    struct archive_run *runs;
    size_t count;
    for (int i = 0; i < 5; i++)
        store(t, i % 2 ? "2025-10-21" : "2025-10-20", i == 4 ? "roas_d1" : "", true);
    size_t seen = 0;
    do {
        assert_true(archive_list(&t->arena, t->db, &filter, &runs, &count, &err));
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(runs[i].report_count, 2);
            assert_true(runs[i].finished_at > 0);
            if (filter.before_id.n)
                assert_true(str_cmp(runs[i].job_id, filter.before_id) < 0);
            filter.before_id = runs[i].job_id;
        }
        seen += count;
    } while (count);
    assert_int_equal(seen, 5);
    filter = (struct archive_filter){.date = STR("2025-10-21"), .limit = 10};
    assert_true(archive_list(&t->arena, t->db, &filter, &runs, &count, &err));
    assert_int_equal(count, 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_of_day_is_two_numbers_within_a_day),
        DB_TEST(a_run_for_yesterday_is_enqueued_at_its_minute),
        DB_TEST(a_day_has_one_run_also_for_another_process),
        DB_TEST(two_that_saw_no_run_enqueue_one),
        DB_TEST(without_a_time_nothing_is_enqueued),
        DB_TEST(the_newest_date_and_its_last_run_that_made_a_report_count),
        DB_TEST(runs_are_listed_newest_first_with_their_reports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
