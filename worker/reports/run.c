/* All files are written before the first one is renamed into place, so that a write error or a
 * kill before that leaves the day's earlier files. */
#include "reports/run.h"

#include "base/clock.h"
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often progress is reported, so that the job does not lose its lease. */
#define TICK_MS 200
/* DATE/NAME.json */
#define FILE_PATH_BYTES_MAX 400

struct run {
    struct arena *arena;
    const struct run_task *task;
    struct report_data data;
    struct report_run report_run;
    uint64_t rows_read;
    int root, folder;               /* of output_dir and of the day in it */
    const char *folder_name;        /* 2025-10-20 */
    struct report_output **outputs; /* per report; NULL: not made */
    struct run_report *reports;
};

static void
end_run(struct run *run)
{
    for (size_t i = 0; run->outputs && i < REPORT_COUNT; i++)
        output_close(&run->outputs[i]);
    if (run->folder >= 0) /* removed only if it is empty */
        unlinkat(run->root, run->folder_name, AT_REMOVEDIR);
    fs_close(&run->folder);
    fs_close(&run->root); /* releases the lock */
    data_free(&run->data);
}
#define scoped_run SCOPED(end_run) struct run

static bool
tell(const struct run *run, const char *phase, struct err *err)
{
    const struct run_task *task = run->task;
    struct job_progress progress = {.phase = str_from(phase), .rows_done = run->rows_read};
    return !task->on_progress || task->on_progress(task->context, &progress, err);
}

static bool
tell_rows(void *context, uint64_t rows_done, struct err *err)
{
    struct run *run = context;
    /* Each input counts from 0; a count that goes down would look as if the run began again. */
    run->rows_read = MAX(run->rows_read, rows_done);
    return tell(run, "reading", err);
}

/* ---- what can be made ---- */

static bool
has_any_input(const struct run_task *task, struct err *err)
{
    for (size_t i = 0; i < INPUT_COUNT; i++)
        if (task->inputs[i].is_there)
            return true;
    return task->events ||
           err_set_code(err, ERR_NOT_FOUND, "missing_input",
                        "none of the inputs %s, %s, %s and %s is there",
                        input_name(INPUT_PURCHASES), input_name(INPUT_CONFIRMED),
                        input_name(INPUT_COSTS), input_name(INPUT_SESSIONS));
}

static bool
can_be_made(const struct run *run, const struct report *report, struct err *err)
{
    for (size_t i = 0; i < INPUT_COUNT; i++)
        if (report->inputs & 1u << i && run->data.input_errors[i].kind != ERR_NONE) {
            *err = run->data.input_errors[i];
            return false;
        }
    return !report->needs_events || run->task->events ||
           err_set_code(err, ERR_INVALID, RUN_NEEDS_SERVICE,
                        "%s is made from the events of a service; without one it is left out",
                        report->name);
}

static void
warn_if_stale(struct run *run)
{
    struct report_data *data = &run->data;
    if (!run->task->is_scheduled || data->newest_day > data->day)
        return;
    struct str detail = arena_printf(run->arena,
                                     "nothing in purchases_raw and sessions is newer than %s: "
                                     "are the inputs of the day complete?",
                                     date_text(run->arena, data->day).p);
    data->warnings = arena_new(run->arena, struct report_warning);
    data->warnings[0] = (struct report_warning){STR("stale_inputs"), detail};
    data->warning_count = 1;
}

/* ---- folders ---- */

/* For an error at the output files: the owner of the folder has to act.  A full disk keeps its
 * own code. */
static bool
blame_output(struct err *err)
{
    if (err->kind == ERR_INTERNAL || err->kind == ERR_NOT_FOUND)
        snprintf(err->code, sizeof(err->code), "%s", RUN_OUTPUT_UNWRITABLE);
    return false;
}

/* Which reports have no file of a later day?  For each report, since a later day may lack
 * some. */
static bool
find_newest(int root, int64_t day, bool *is_newest, struct err *err)
{
    int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        fs_close(&fd);
        return err_set_errno(err, "reading the reports' folder");
    }
    for (size_t i = 0; i < REPORT_COUNT; i++)
        is_newest[i] = true;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        int64_t other;
        if (!date_parse_iso(str_from(entry->d_name), &other) || other <= day)
            continue;
        for (size_t i = 0; i < REPORT_COUNT; i++) {
            char path[FILE_PATH_BYTES_MAX];
            snprintf(path, sizeof(path), "%s/%s.json", entry->d_name, REPORTS[i]->name);
            is_newest[i] = is_newest[i] && faccessat(root, path, F_OK, 0) != 0;
        }
    }
    closedir(dir);
    return true;
}

/* One run at a time writes below a folder; closing the descriptor releases the lock. */
static bool
open_folders(struct run *run, struct err *err)
{
    const char *root = run->task->output_dir;
    run->folder_name = date_text(run->arena, run->data.day).p;
    if (!fs_make_dirs(root, err))
        return false;
    run->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run->root < 0 || flock(run->root, LOCK_EX))
        return err_set_errno(err, "%s", root);
    if (!run_clean_locked(run->root, err))
        return false;
    if (mkdirat(run->root, run->folder_name, 0755) && errno != EEXIST)
        return err_set_errno(err, "%s/%s", root, run->folder_name);
    run->folder =
        openat(run->root, run->folder_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return run->folder >= 0 || err_set_errno(err, "%s/%s", root, run->folder_name);
}

/* ---- making ---- */

/* One report being written.  Reports only read what they share, so each has a thread; one that
 * reads the database stays on the thread that opened it. */
struct maker {
    struct run *run;
    struct report_output *output; /* NULL: not written */
    const struct report *report;
    pthread_t thread;
    bool is_started, is_written;
    struct err err;
};

static void *
write_report(void *argument)
{
    struct maker *maker = argument;
    maker->is_written =
        maker->report->write(maker->output, &maker->run->report_run, &maker->err);
    return NULL;
}

/* Reports progress while the reports are written.  A cancelled run waits for them too, because
 * a report that is being written checks nothing else. */
static bool
wait_for(struct maker *maker, bool ok, struct err *err)
{
    while (maker->is_started) {
        struct timespec until = clock_wait_until(TICK_MS);
        maker->is_started = pthread_timedjoin_np(maker->thread, NULL, &until) != 0;
        ok = ok && tell(maker->run, "writing", err);
    }
    return ok;
}

static bool
finish(struct maker *maker, struct run_report *result, struct err *err)
{
    struct output_done done;
    if (!maker->is_written) {
        *err = maker->err;
        return false;
    }
    if (!output_finish(maker->run->arena, maker->output, &done, err))
        return blame_output(err);
    memcpy(result->sha256, done.sha256, sizeof(result->sha256));
    result->bytes = done.bytes;
    result->warnings = done.warnings;
    result->warning_count = done.warning_count;
    return true;
}

/* A full disk fails the whole run; other errors only the report. */
static bool
give_up_on(struct run *run, size_t i, struct err *err)
{
    output_close(&run->outputs[i]);
    *err = run->reports[i].err;
    return err->kind != ERR_DISK_FULL;
}

/* Opens the files of the reports that can be made; sets the errors of the others. */
static bool
open_outputs(struct run *run, struct maker *makers, struct err *err)
{
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        run->reports[i] = (struct run_report){.report = REPORTS[i]};
        makers[i] = (struct maker){.run = run, .report = REPORTS[i]};
        if (!can_be_made(run, REPORTS[i], &run->reports[i].err))
            continue;
        if (run->folder < 0 && !open_folders(run, err))
            return blame_output(err);
        run->outputs[i] = output_open(run->folder, REPORTS[i], &run->report_run,
                                      run->task->generated_at, err);
        if (!run->outputs[i])
            return blame_output(err);
        makers[i].output = run->outputs[i];
    }
    return true;
}

static bool
make_all(struct run *run, struct err *err)
{
    struct maker *makers = arena_array(run->arena, REPORT_COUNT, struct maker);
    bool ok = open_outputs(run, makers, err);
    for (size_t i = 0; ok && i < REPORT_COUNT; i++) {
        struct maker *maker = &makers[i];
        maker->is_started = maker->output && !maker->report->needs_events &&
                            pthread_create(&maker->thread, NULL, write_report, maker) == 0;
        if (maker->output && !maker->is_started)
            write_report(maker);
    }
    for (size_t i = 0; i < REPORT_COUNT; i++)
        ok = wait_for(&makers[i], ok, err);
    for (size_t i = 0; ok && i < REPORT_COUNT; i++) {
        struct run_report *result = &run->reports[i];
        if (makers[i].output && !finish(&makers[i], result, &result->err))
            ok = give_up_on(run, i, err);
    }
    return ok;
}

/* ---- publishing ---- */

static bool
publish_all(struct run *run, struct err *err)
{
    bool *is_newest = arena_array(run->arena, REPORT_COUNT, bool);
    if (run->folder < 0)
        return true;
    if (!find_newest(run->root, run->data.day, is_newest, err))
        return blame_output(err);
    for (size_t i = 0; i < REPORT_COUNT; i++) {
        struct err *own = &run->reports[i].err;
        if (!run->outputs[i] ||
            output_publish(run->outputs[i], is_newest[i] ? run->root : -1, own))
            continue;
        blame_output(own);
        if (!give_up_on(run, i, err))
            return false;
    }
    return (fs_sync(run->folder, err) && fs_sync(run->root, err)) || blame_output(err);
}

bool
run_check_day(int64_t day, int64_t now_ms, struct err *err)
{
    int64_t today = data_day_of(now_ms);
    if (day <= today)
        return true;
    scoped_arena a = {0};
    return err_set_name(err, ERR_INVALID, "future_date", STR("date"),
                        "%s has not begun: today is %s (UTC)", date_text(&a, day).p,
                        date_text(&a, today).p);
}

bool
run_reports(struct arena *a, const struct run_task *task, struct run_result *out,
            struct err *err)
{
    scoped_run run = {.arena = a, .task = task, .root = -1, .folder = -1};
    run.data.config = task->config;
    run.data.arena = a;
    memcpy(run.data.inputs, task->inputs, sizeof(run.data.inputs));
    run.data.now_ms = task->generated_at;
    run.data.on_progress = tell_rows;
    run.data.context = &run;
    run.report_run = (struct report_run){&run.data, task->events};
    run.outputs = arena_array(a, REPORT_COUNT, struct report_output *);
    run.reports = arena_array(a, REPORT_COUNT, struct run_report);
    if (!has_any_input(task, err) || !run_check_day(task->day, task->generated_at, err) ||
        !data_read(&run.data, task->day, err))
        return false;
    run.rows_read = 0;
    for (size_t i = 0; i < INPUT_COUNT; i++)
        if (run.data.input_errors[i].kind == ERR_NONE)
            run.rows_read += run.data.inputs[i].row_count;
    warn_if_stale(&run);
    if (!make_all(&run, err) || !publish_all(&run, err))
        return false;
    out->day = run.data.day;
    out->reports = run.reports;
    memcpy(out->inputs, run.data.inputs, sizeof(out->inputs));
    for (size_t i = 0; i < INPUT_COUNT; i++)
        out->inputs[i].sha256 = arena_str(a, out->inputs[i].sha256);
    return true;
}
