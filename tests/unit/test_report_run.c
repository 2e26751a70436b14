/* A run of all reports: the same files from a version as from a bare CSV, and what stays where
 * it was. */
#include "disk_order.h"
#include "report_fixture.h"

#include "embedded/engine.h"
#include "embedded/files.h"
#include "embedded/sink.h"
#include "import/import.h"

#include <sys/file.h>

/* What `import` makes of the file, as a source. */
static struct input_source
import_input(struct fixture *f, enum input_kind kind, const struct input_versions *versions)
{
    struct arena *a = &f->dir->arena;
    const char *name = input_name(kind);
    const struct import_options options = {0};
    struct dataset_publication publication;
    struct err err;
    scoped_fd source = fs_open_at(AT_FDCWD, arena_printf(a, "%s/%s.csv", f->dir->path, name).p,
                                  O_RDONLY, &err);
    scoped_fd rejects =
        fs_open_at(AT_FDCWD, temp_path(f->dir, "rejects"), O_RDWR | O_CREAT | O_TRUNC, &err);
    struct import_task task = {.config = &f->config,
                               .data_dir = f->dir->path,
                               .sink = &EMBEDDED_SINK,
                               .job_id = str_from(name),
                               .dataset = str_from(name),
                               .options = &options,
                               .source_fd = source,
                               .source_name = str_from(name),
                               .dataset_id = 1,
                               .rejects_fd = rejects};
    assert_true(fs_size(source, &task.source_length, &err));
    if (!import_run(a, &task, &publication, &err))
        fail_msg("%s: %s", err_code(&err), err.detail);
    return (struct input_source){
        .is_there = true,
        .versions = versions,
        .version = {.dataset_id = 1, .number = 7, .job_id = str_from(name)},
        .sha256 = publication.source_sha256,
        .row_count = (uint64_t)publication.row_count,
    };
}

#define LATER_MS INT64_C(1800000000000) /* than every row */

static void
run_into(struct fixture *f, const struct input_source inputs[INPUT_COUNT], int64_t day,
         const char *output, struct run_result *result)
{
    struct err err;
    struct run_task task = {.config = &f->config,
                            .day = day,
                            .output_dir = temp_path(f->dir, output),
                            .generated_at = LATER_MS};
    memcpy(task.inputs, inputs, sizeof(task.inputs));
    if (!run_reports(&f->dir->arena, &task, result, &err))
        fail_msg("%s: %s", err_code(&err), err.detail);
}

/* Without "version":7 or "version":null. */
static struct str
read_report(struct fixture *f, const char *output, const char *day, const char *file)
{
    struct arena *a = &f->dir->arena;
    struct err err;
    scoped_buf text, out;
    buf_init(&text, MIB);
    buf_init(&out, MIB);
    const char *path = arena_printf(a, "%s/%s/%s/%s", f->dir->path, output, day, file).p;
    if (!fs_read_file(&text, AT_FDCWD, path, &err))
        fail_msg("%s", err.detail);
    struct str rest = buf_str(&text);
    for (ptrdiff_t at; (at = str_find(rest, STR("\"version\":"))) >= 0;) {
        buf_add(&out, str_slice(rest, 0, (size_t)at));
        rest = str_skip(rest, (size_t)at);
        rest = str_skip(rest, (size_t)str_find_char(rest, ','));
    }
    buf_add(&out, rest);
    return arena_str(a, buf_str(&out));
}

static void
write_all_inputs(struct fixture *f)
{
    write_text(f->dir, "purchases_raw.csv",
               STR(PURCHASES_HEADER
                   " a ,purchase,2025-10-20T09:00:00Z,4.99, spring ,R1,success\n\n"
                   "\"b\nb\",Purchase,2025-10-20 09:01:00,\"4,99\",\"a,b\",R2,SUCCESS\n"
                   "c,purchase,2025-10-20T09:00:00Z,1.99,=1+1,NULL,success\n"
                   "c,purchase,2025-10-20T09:00:00Z,-1,x,R2,refund\n"
                   "d,purchase,2025-10-21T09:00:00Z, 3 ,spring,,success\n"));
    write_text(f->dir, "confirmed_purchases.csv",
               STR(CONFIRMED_HEADER "a,purchase,2025-10-20T09:05:00Z,4.99,spring,R1\n"
                                    "e,purchase,2025-10-20T09:05:00Z,4.99,spring,R9\n"));
    write_text(f->dir, "costs_daily.csv",
               STR("date,campaign,ad_cost_usd\n2025-10-20,Spring,2.5\n2025-10-20,idle,3\n"));
    write_text(f->dir, "sessions.csv",
               STR("event_timestamp_utc,user_id,event_name\n2025-10-20T08:00:00Z,u1,x\n"
                   "2025-10-20T08:00:00Z,u2,x\n2025-10-20T08:00:00Z,u3,x\n"));
}

static void
a_version_gives_the_bytes_that_its_file_gives(void **state)
{
    scoped_fixture f;
    struct input_source files[INPUT_COUNT], versions[INPUT_COUNT];
    struct run_result a, b;
    begin(&f, *state, "");
    struct input_versions from = {
        .data_dir = f.dir->path, .files = &EMBEDDED_FILES, .engine = &EMBEDDED_ENGINE};
    from.state = from.engine->start(NULL, f.dir->path, 0);
    write_all_inputs(&f);
    for (size_t i = 0; i < INPUT_COUNT; i++) {
        files[i] = input_of_file(&f.dir->arena, (enum input_kind)i, f.dir->path);
        versions[i] = import_input(&f, (enum input_kind)i, &from);
    }
    run_into(&f, files, DAY, "from_files", &a);
    run_into(&f, versions, DAY, "from_versions", &b);
    from.engine->stop(&from.state);
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        const char *name = REPORTS[i]->name;
        if (REPORTS[i]->needs_events)
            continue;
        assert_int_equal(a.reports[i].err.kind, ERR_NONE);
        const char *json = arena_printf(&f.dir->arena, "%s.json", name).p;
        const char *csv = arena_printf(&f.dir->arena, "%s.csv", name).p;
        assert_string_equal(read_report(&f, "from_files", "2025-10-20", json).p,
                            read_report(&f, "from_versions", "2025-10-20", json).p);
        assert_string_equal(read_report(&f, "from_files", "2025-10-20", csv).p,
                            read_report(&f, "from_versions", "2025-10-20", csv).p);
        assert_string_equal(read_report(&f, "from_files", ".", json).p,
                            read_report(&f, "from_files", "2025-10-20", json).p);
    }
    struct str curated = read_report(&f, "from_files", "2025-10-20", "purchases_curated.json");
    /* The line behind a blank one and behind a cell of two. */
    assert_true(str_find(curated, STR("{\"line\":6,\"appsflyer_id\":\"c\"")) > 0);
    assert_true(str_find(curated,
                         STR("\"rows_in\":5,\"kept\":{\"rows\":4,\"revenue_usd\":13.97}")) > 0);
    assert_true(str_find(curated, STR("\"revenue_usd\":3.99,\"refunded_usd\":1,")) > 0);
    struct str csv = read_report(&f, "from_files", "2025-10-20", "purchases_curated.csv");
    assert_true(str_find(csv, STR(",\"'=1+1\",")) > 0);
}

/* Their bytes, then their names, then the folders that the names are in. */
static void
reports_that_were_made_are_on_the_disk(void **state)
{
    scoped_fixture f;
    struct input_source files[INPUT_COUNT];
    struct run_result result;
    begin(&f, *state, "");
    write_all_inputs(&f);
    for (size_t i = 0; i < INPUT_COUNT; i++)
        files[i] = input_of_file(&f.dir->arena, (enum input_kind)i, f.dir->path);
    disk_log_clear();
    run_into(&f, files, DAY, "out", &result);
    for (size_t i = 0; i < REPORT_COUNT; i++)
        for (size_t form = 0; form < 2 && !REPORTS[i]->needs_events; form++) {
            struct arena *a = &f.dir->arena;
            const char *file =
                arena_printf(a, "%s.%s", REPORTS[i]->name, form ? "csv" : "json").p;
            const char *in_day = arena_printf(a, "out/2025-10-20/%s", file).p;
            const char *temporary = arena_printf(a, "out/2025-10-20/.%s.new", file).p;
            ptrdiff_t named = disk_last(f.dir, "rename", in_day);
            assert_true(disk_last(f.dir, "sync", temporary) < named);
            assert_true(disk_last(f.dir, "sync", "out/2025-10-20") > named);
            named = disk_last(f.dir, "rename", arena_printf(a, "out/%s", file).p);
            assert_true(disk_last(f.dir, "sync", "out") > named);
        }
}

static void
an_older_day_leaves_the_newest_at_the_root(void **state)
{
    scoped_fixture f;
    struct input_source files[INPUT_COUNT];
    struct run_result result;
    begin(&f, *state, "");
    write_all_inputs(&f);
    for (size_t i = 0; i < INPUT_COUNT; i++)
        files[i] = input_of_file(&f.dir->arena, (enum input_kind)i, f.dir->path);
    run_into(&f, files, DAY, "out", &result);
    run_into(&f, files, DAY - 1, "out", &result);
    assert_true(str_find(read_report(&f, "out", ".", "purchases_curated.json"),
                         STR("\"date\":\"2025-10-20\"")) > 0);
    run_into(&f, files, DAY + 1, "out", &result);
    assert_true(str_find(read_report(&f, "out", ".", "purchases_curated.json"),
                         STR("\"date\":\"2025-10-21\"")) > 0);
    run_into(&f, files, DAY + 1, "out", &result); /* over what is there */
    assert_int_equal(access(temp_path(f.dir, "out/.purchases_curated.json.new"), F_OK), -1);
}

static void
a_report_without_its_input_keeps_its_older_file(void **state)
{
    scoped_fixture f;
    struct input_source files[INPUT_COUNT];
    struct run_result result;
    begin(&f, *state, "");
    write_all_inputs(&f);
    for (size_t i = 0; i < INPUT_COUNT; i++)
        files[i] = input_of_file(&f.dir->arena, (enum input_kind)i, f.dir->path);
    run_into(&f, files, DAY, "out", &result);
    struct str before = read_report(&f, "out", "2025-10-20", "reconciliation.json");
    write_text(f.dir, "confirmed_purchases.csv", STR("appsflyer_id\n"));
    write_text(f.dir, "purchases_raw.csv", STR(PURCHASES_HEADER));
    run_into(&f, files, DAY, "out", &result);
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        bool needs = REPORTS[i]->inputs & 1u << INPUT_CONFIRMED;
        if (!REPORTS[i]->needs_events)
            assert_string_equal(err_code(&result.reports[i].err),
                                needs ? "missing_columns" : "ok");
    }
    assert_string_equal(read_report(&f, "out", "2025-10-20", "reconciliation.json").p,
                        before.p);
    assert_true(str_find(read_report(&f, "out", "2025-10-20", "purchases_curated.json"),
                         STR("\"rows_in\":0")) > 0);
}

static bool
stop(void *context, const struct job_progress *progress, struct err *err)
{
    const char *phase = context;
    return !str_eq(progress->phase, str_from(phase)) ||
           err_set_code(err, ERR_CONFLICT, "cancelled", "cancelled");
}

static void
a_cancelled_run_leaves_the_files_as_they_were(void **state)
{
    static const char *const PHASES[] = {"reading", "writing"};
    scoped_fixture f;
    struct run_result result;
    begin(&f, *state, "");
    write_all_inputs(&f);
    struct run_task task = {
        .config = &f.config, .day = DAY, .generated_at = LATER_MS, .on_progress = stop};
    task.output_dir = temp_path(f.dir, "out");
    for (size_t i = 0; i < INPUT_COUNT; i++)
        task.inputs[i] = input_of_file(&f.dir->arena, (enum input_kind)i, f.dir->path);
    run_into(&f, task.inputs, DAY, "out", &result);
    struct str before = read_report(&f, "out", "2025-10-20", "purchases_curated.json");
    write_text(f.dir, "purchases_raw.csv", STR(PURCHASES_HEADER));
    for (size_t i = 0; i < COUNT_OF(PHASES); i++) {
        struct err err = {0};
        task.context = (void *)PHASES[i];
        assert_false(run_reports(&f.dir->arena, &task, &result, &err));
        assert_string_equal(err_code(&err), "cancelled");
        assert_string_equal(read_report(&f, "out", "2025-10-20", "purchases_curated.json").p,
                            before.p);
        const char *left = temp_path(f.dir, "out/2025-10-20/.purchases_curated.json.new");
        assert_int_equal(access(left, F_OK), -1);
    }
}

static void
a_scheduled_run_warns_of_inputs_that_end_before_its_day_does(void **state)
{
    scoped_fixture f;
    struct err err = {0};
    struct run_result result;
    begin(&f, *state, "");
    write_all_inputs(&f);
    struct run_task task = {
        .config = &f.config, .generated_at = LATER_MS, .is_scheduled = true};
    task.output_dir = temp_path(f.dir, "out");
    for (size_t i = 0; i < INPUT_COUNT; i++)
        task.inputs[i] = input_of_file(&f.dir->arena, (enum input_kind)i, f.dir->path);
    for (int64_t day = DAY; day <= DAY + 1; day++) { /* the newest row is of the 21st */
        task.day = day;
        assert_true(run_reports(&f.dir->arena, &task, &result, &err));
        assert_int_equal(result.reports[0].warning_count, day > DAY);
        if (day > DAY)
            assert_true(str_eq(result.reports[0].warnings[0].code, STR("stale_inputs")));
    }
}

static void
cleaning_leaves_a_run_that_is_at_work_alone(void **state)
{
    struct temp_dir *dir = *state;
    struct err err;
    const char *left = temp_path(dir, ".roas_d1.json.new");
    write_text(dir, ".roas_d1.json.new", STR("half"));
    write_text(dir, ".others.json.new", STR("of somebody else"));
    scoped_fd at_work = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(flock(at_work, LOCK_EX), 0);
    assert_true(run_clean(dir->path, &err));
    assert_int_equal(access(left, F_OK), 0);
    fs_close(&at_work);
    assert_true(run_clean(dir->path, &err));
    assert_int_equal(access(left, F_OK), -1);
    assert_int_equal(access(temp_path(dir, ".others.json.new"), F_OK), 0);
    assert_true(run_clean(temp_path(dir, "nowhere"), &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_set_up, temp_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_version_gives_the_bytes_that_its_file_gives),
        TEST(reports_that_were_made_are_on_the_disk),
        TEST(an_older_day_leaves_the_newest_at_the_root),
        TEST(a_report_without_its_input_keeps_its_older_file),
        TEST(a_cancelled_run_leaves_the_files_as_they_were),
        TEST(a_scheduled_run_warns_of_inputs_that_end_before_its_day_does),
        TEST(cleaning_leaves_a_run_that_is_at_work_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
