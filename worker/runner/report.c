/* See report.h.
 *
 * The child opens playmeter.db for itself.  SQLite's own memory of the file came with the fork:
 * it takes the jobs process's shared lock on it for the child's, which holds since the child
 * lives no longer.  Its read transactions lock for themselves. */
#include "runner/report.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/log.h"
#include "embedded/engine.h"
#include "embedded/files.h"
#include "reports/archive.h"
#include "role/role.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RUN_BYTES_MAX MIB
/* A version in use can be dropped by three imports while it is read; who is so unlucky so often
 * is told. */
#define READS_MAX 3

static size_t
slots(const struct config *config UNUSED)
{
    return 1; /* runs write the same files */
}

static bool
prepare(struct arena *a, const struct job_host *host UNUSED, struct job_work *work,
        struct err *err)
{
    struct archive_request *request = arena_array(a, 1, struct archive_request);
    work->own = request;
    return archive_job_parse(a, work->job.options, request, err);
}

static const char *
spool_folder(struct arena *a, const struct job_work *work)
{
    return arena_printf(a, "%" STR_FMT "/spool/%" STR_FMT, STR_ARG(work->config->data_dir),
                        STR_ARG(work->job.id))
        .p;
}

/* ---- in the child ---- */

static bool
make_reports(struct arena *a, const struct input_versions *versions, struct run_task *task,
             struct run_result *result, struct err *err)
{
    for (int i = 1;; i++) {
        *err = (struct err){0};
        for (size_t k = 0; k < INPUT_COUNT; k++)
            if (!input_of_dataset(a, (enum input_kind)k, versions, &task->inputs[k], err))
                return false;
        bool is_made = run_reports(a, task, result, err);
        bool is_lost = false;
        for (size_t k = 0; k < INPUT_COUNT; k++)
            is_lost = is_lost || input_is_lost(&task->inputs[k]);
        if (!is_lost)
            return is_made;
        if (i == READS_MAX)
            return err_set_code(err, ERR_CONFLICT, "inputs_changed",
                                "the inputs were replaced %d times while they were read",
                                READS_MAX);
    }
}

/* Where the folder lies is for the log; a client is told which setting names it. */
static void
hide_output(const struct job_work *work, struct err *err)
{
    if (strcmp(err_code(err), RUN_OUTPUT_UNWRITABLE) != 0)
        return;
    struct log_line line = log_begin(LOG_WARN, RUN_OUTPUT_UNWRITABLE);
    log_str(&line, "request_id", work->job.request_id);
    log_str(&line, "job", work->job.id);
    log_str(&line, "detail", str_from(err->detail));
    log_end(&line);
    err_set_code(err, ERR_INTERNAL, RUN_OUTPUT_UNWRITABLE,
                 "the service cannot write into the folder that the setting reports.output_dir "
                 "names; the log has the reason");
}

static bool
write_run(struct arena *a, const struct job_work *work, struct run_result *result,
          uint64_t began_us, struct err *err)
{
    const struct archive_request *request = work->own;
    struct archive_run run = {.job_id = work->job.id, .is_scheduled = request->is_scheduled};
    for (size_t i = 0; i < REPORT_COUNT; i++)
        hide_output(work, &result->reports[i].err);
    archive_describe(a, result, (double)(clock_steady_us() - began_us) / 1e6, &run);
    scoped_buf out;
    buf_init(&out, RUN_BYTES_MAX);
    codec_add(&out, &ARCHIVE_RUN, &run);
    if (out.is_full)
        return err_set(err, ERR_INTERNAL, "the description of the run is over %zu bytes",
                       RUN_BYTES_MAX);
    const char *folder = spool_folder(a, work);
    return fs_make_dirs(folder, err) &&
           fs_replace_file(AT_FDCWD, arena_printf(a, "%s/run", folder).p, buf_str(&out), 0600,
                           err);
}

static void
end_versions(struct input_versions *versions)
{
    versions->engine->stop(&versions->state);
}

static bool
run(struct arena *a, const struct job_work *work, job_progress_fn *on_progress, void *context,
    struct err *err)
{
    const struct archive_request *request = work->own;
    uint64_t began_us = clock_steady_us();
    scoped_db db = db_open(role_path(a, work->config, ROLE_DB), DB_READ_ONLY, err);
    if (!db)
        return false;
    SCOPED(end_versions)
    struct input_versions versions = {.db = db,
                                      .data_dir = arena_cstr(a, work->config->data_dir),
                                      .files = &EMBEDDED_FILES,
                                      .engine = &EMBEDDED_ENGINE};
    versions.state = versions.engine->start(db, versions.data_dir, work->config->start);
    struct run_task task = {
        .config = work->config,
        .day = REPORT_DAY_NEWEST,
        .is_scheduled = request->is_scheduled,
        .events = db,
        .output_dir = archive_folder(a, work->config),
        .generated_at = clock_now_ms(),
        .on_progress = on_progress,
        .context = context,
    };
    struct run_result result;
    if (request->date.n && !date_parse_iso(request->date, &task.day))
        return err_set(err, ERR_INTERNAL, "'%" STR_FMT "' is no day", STR_ARG(request->date));
    if (make_reports(a, &versions, &task, &result, err))
        return write_run(a, work, &result, began_us, err);
    hide_output(work, err);
    return false;
}

/* ---- in the jobs process ---- */

static bool
finish(struct arena *a, const struct job_host *host, const struct job_work *work,
       bool *starts_again, struct err *err)
{
    scoped_buf bytes;
    buf_init(&bytes, RUN_BYTES_MAX);
    *starts_again = true;
    if (!fs_read_file(&bytes, AT_FDCWD, arena_printf(a, "%s/run", spool_folder(a, work)).p,
                      err))
        return false;
    *starts_again = false;
    const struct archive_run *made = codec_read(a, &ARCHIVE_RUN, buf_str(&bytes), err);
    return made && archive_store(host->writer, made, err);
}

static bool
clean(struct arena *a, const struct job_work *work, struct err *err)
{
    return run_clean(archive_folder(a, work->config), err);
}

const struct job_kind JOB_REPORT = {
    .name = "report",
    .worker = "the process that makes the reports",
    .crash_code = "reports_crashed",
    .steps = {{"report", "reading", false, NULL, run}},
    .slots = slots,
    .prepare = prepare,
    .finish = finish,
    .clean = clean,
};
