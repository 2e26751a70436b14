/* The child is that of a job in all but its row in the table: a look that
 * finds nothing is no news, and it would be one a day for every dataset. */
#include "runner/file_check.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "embedded/files.h"
#include "role/role.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_EVERY_US UINT64_C(1000000)
/* After a child that came to no end. */
#define RETRY_US UINT64_C(10000000)
/* A damaged version may have been put back, and an index job may have met a full disk. */
#define DAMAGED_EVERY_MS (INT64_C(3600) * 1000)

static struct integrity_schedule
schedule_of(const struct config *config)
{
    int64_t every_ms = (int64_t)config->storage_check_every;
    return (struct integrity_schedule){config->start, every_ms,
                                       MIN(every_ms, DAMAGED_EVERY_MS)};
}

/* ---- in the child ---- */

struct look {
    const struct config *config;
    struct db *db;
    struct writer *writer;
    uint64_t began_us;
    int64_t version_count;
    uint64_t bytes;
};

/* Nobody waits for a check that the schedule brings: it takes what is left of CPU and disk. */
static void
step_back(void)
{
    enum { WHO_PROCESS = 1, CLASS_IDLE = 3, CLASS_SHIFT = 13 }; /* of ioprio_set(2) */
    struct err err;
    if (setpriority(PRIO_PROCESS, 0, 19) ||
        syscall(SYS_ioprio_set, WHO_PROCESS, 0, CLASS_IDLE << CLASS_SHIFT)) {
        err_set_errno(&err, "lowering the priority");
        log_message(LOG_WARN, "check_not_lowered", "%s", err.detail);
    }
}

static void
log_finding(struct arena *a, struct str dataset, const struct dataset_version *version,
            const struct integrity_finding *finding, int64_t current)
{
    bool is_whole = finding->damaged == 0;
    struct log_line line = log_begin(is_whole ? LOG_INFO : LOG_ERROR,
                                     is_whole ? "files_whole_again" : "files_damaged");
    log_str(&line, "dataset", dataset);
    log_int(&line, "version", version->number);
    if (!is_whole) {
        log_str(&line, "files", integrity_files_words(a, finding->damaged));
        log_str(&line, "detail", str_from(finding->reason.detail));
    }
    log_int(&line, "current_version", current);
    log_end(&line);
}

static bool
look_at(struct arena *a, struct look *look, struct str dataset,
        const struct dataset_version *version, struct err *err)
{
    struct integrity_finding finding;
    char job_id[JOB_ID_DIGITS + 1];
    int64_t current;
    job_make_id(job_id);
    if (!EMBEDDED_FILES.check(arena_cstr(a, look->config->data_dir), version, &finding, err) ||
        !integrity_store(look->writer, look->config->start, version, &finding, str_from(job_id),
                         &current, err))
        return false;
    look->version_count++;
    look->bytes += finding.bytes;
    /* No current one: the finding is of files that were replaced meanwhile, and counts for
     * nothing. */
    if (current && finding.damaged != version->damaged)
        log_finding(a, dataset, version, &finding, current);
    return true;
}

/* A child that has stepped back cannot come forward again, so where somebody waits it leaves
 * the rest to the next one. */
static bool
look_at_all(struct look *look, struct err *err)
{
    struct integrity_schedule schedule = schedule_of(look->config);
    bool has_stepped_back = false;
    for (;;) {
        scoped_arena a = {0};
        struct str dataset;
        struct dataset_version version;
        int got = integrity_next(&a, look->db, &schedule, &dataset, &version, err);
        if (got <= 0)
            return got == 0;
        bool is_waited_for = version.checked_start != schedule.start || version.checked_at == 0;
        if (is_waited_for && has_stepped_back)
            return true;
        if (!is_waited_for && !has_stepped_back) {
            step_back();
            has_stepped_back = true;
        }
        if (!look_at(&a, look, dataset, &version, err))
            return false;
    }
}

static void
end_look(struct look *look)
{
    if (look->writer)
        writer_close(&look->writer);
    db_close(&look->db);
}

static bool
run(struct arena *a, const struct job_work *work, job_progress_fn *on_progress UNUSED,
    void *context UNUSED, struct err *err)
{
    SCOPED(end_look)
    struct look look = {.config = work->config, .began_us = clock_steady_us()};
    look.db = db_open(role_path(a, work->config, ROLE_DB), DB_READ_ONLY, err);
    if (!look.db)
        return false;
    look.writer = writer_open(role_path(a, work->config, ROLE_WRITER_SOCKET));
    if (!look_at_all(&look, err))
        return false;
    struct log_line line = log_begin(LOG_INFO, "files_checked");
    log_int(&line, "versions", look.version_count);
    log_int(&line, "bytes", (int64_t)look.bytes);
    log_int(&line, "ms", (int64_t)(clock_steady_us() - look.began_us) / 1000);
    log_end(&line);
    return true;
}

static const struct job_step STEP = {"check", "", true, NULL, run};

/* ---- in the jobs process ---- */

static void
complain(const struct err *err)
{
    log_message(LOG_WARN, "files_unchecked", "%s: %s", err_code(err), err->detail);
}

static void
start(struct file_check *check, const struct job_host *host)
{
    struct integrity_schedule schedule = schedule_of(host->config);
    struct job_work work = {.config = host->config};
    struct err err;
    bool is_due = false;
    check->next_us = clock_steady_us() + LOOK_EVERY_US;
    if (!integrity_is_due(host->db, &schedule, &is_due, &err) ||
        (is_due && !runner_child_start(&check->child, &STEP, &work, host->lock_fd, &err)))
        complain(&err);
}

static void
end(struct file_check *check)
{
    int status = runner_child_wait(&check->child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
    if (check->error.kind == ERR_NONE)
        runner_child_tell_end(&check->error, "the check", status);
    complain(&check->error);
    check->error = (struct err){0};
    check->next_us = clock_steady_us() + RETRY_US;
}

void
file_check_tick(struct file_check *check, const struct job_host *host)
{
    struct runner_child_frame frame;
    int got = 0;
    if (check->child.pid == 0) {
        if (clock_steady_us() >= check->next_us)
            start(check, host);
        return;
    }
    while ((got = runner_child_read(&check->child, &frame)) == 1)
        check->error = frame.error;
    if (got < 0)
        end(check);
}

void
file_check_stop(struct file_check *check)
{
    if (check->child.pid == 0)
        return;
    /* What it has stored counts, and the rest is due again. */
    kill(check->child.pid, SIGKILL);
    runner_child_wait(&check->child);
}
