#include "runner/runner.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "catalogue/integrity.h"
#include "embedded/files.h"
#include "reports/schedule.h"
#include "role/disk.h"
#include "runner/claim.h"
#include "runner/clock_watch.h"
#include "runner/file_check.h"
#include "runner/kept.h"
#include "runner/ledger_check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each kind of job has slots of its own, so that none keeps another waiting. */
#define CLAIMS_MAX 20
#define TICK_MS 100
#define QUEUE_LOOKED_AT 100
/* A running job without a lease does not stand among the queued ones. */
#define CLAIM_EVERY_US 3000000
/* Spool folders outlive their jobs on a schedule, also when no job comes any more. */
#define SWEEP_EVERY_US (UINT64_C(600) * 1000000)
/* While the disk is short, so that it is given back within a client's patience. */
#define SWEEP_SHORT_EVERY_US 1000000

struct jobs {
    struct job_host host;
    struct claim claims[CLAIMS_MAX];
    int heartbeat_fd;
    uint64_t swept_us;
    struct buf kept_told; /* what the log says of folders that the sweep keeps */
    struct schedule schedule;
    struct clock_watch clock;
    uint64_t claimed_us[JOB_KINDS_MAX];
    struct file_check check;
    bool is_begun; /* the current versions have been checked since the start */
};

static bool
complain(const char *event, const struct err *err)
{
    log_message(LOG_ERROR, event, "%s: %s", err_code(err), err->detail);
    return false;
}

/* ---- start ---- */

static bool
take_lock(struct jobs *jobs, struct err *err)
{
    scoped_arena a = {0};
    const struct config *config = jobs->host.config;
    jobs->host.lock_fd =
        fs_open_at(AT_FDCWD, role_path(&a, config, ROLE_JOBS_LOCK), O_RDWR | O_CREAT, err);
    if (jobs->host.lock_fd < 0)
        return false;
    /* Waits for a predecessor that is still ending; a signal ends the waiting. */
    while (flock(jobs->host.lock_fd, LOCK_EX)) {
        if (errno != EINTR)
            return err_set_errno(err, "locking " ROLE_JOBS_LOCK);
        if (role_is_stopping())
            return true;
    }
    return true;
}

static bool
open_all(struct jobs *jobs, struct err *err)
{
    scoped_arena a = {0};
    const struct config *config = jobs->host.config;
    jobs->host.db = db_open(role_path(&a, config, ROLE_DB), DB_READ_ONLY, err);
    if (!jobs->host.db)
        return false;
    jobs->host.writer = writer_open(role_path(&a, config, ROLE_WRITER_SOCKET));
    jobs->heartbeat_fd =
        fs_open_at(AT_FDCWD, role_path(&a, config, ROLE_JOBS_HEARTBEAT), O_RDWR | O_CREAT, err);
    return jobs->heartbeat_fd >= 0;
}

/* What a predecessor left running starts again. */
static bool
adopt(struct jobs *jobs, struct err *err)
{
    scoped_arena a = {0};
    struct job *left;
    size_t count;
    struct job_filter filter = {.state = STR("running"), .limit = QUEUE_LOOKED_AT};
    if (!job_list(&a, jobs->host.db, &filter, &left, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct log_line line = log_begin(LOG_WARN, "job_restarts");
        log_str(&line, "request_id", left[i].request_id);
        log_str(&line, "job", left[i].id);
        log_str(&line, "kind", left[i].kind);
        if (left[i].dataset.n)
            log_str(&line, "dataset", left[i].dataset);
        log_int(&line, "attempt", (int64_t)left[i].attempt);
        log_str(&line, "message", STR("the process that ran it is gone"));
        log_end(&line);
        if (!job_requeue(jobs->host.writer, left[i].id, err))
            return false;
    }
    return true;
}

/* ---- the loop ---- */

static bool
is_disk_short(const struct jobs *jobs)
{
    scoped_arena a = {0};
    return disk_free_bytes(arena_cstr(&a, jobs->host.config->data_dir)) < DISK_RESERVE;
}

static void
sweep(struct jobs *jobs)
{
    scoped_arena a = {0};
    struct err err;
    const struct config *config = jobs->host.config;
    jobs->swept_us = clock_steady_us();
    /* What finished jobs left is for curious people; where the disk is short it goes at once.
     */
    int64_t kept_ms = is_disk_short(jobs) ? 0 : (int64_t)config->imports_spool_kept;
    scoped_buf kept;
    buf_init(&kept, KEPT_BYTES_MAX);
    if (!dataset_sweep(jobs->host.db, &EMBEDDED_FILES, arena_cstr(&a, config->data_dir),
                       kept_ms, &kept, &err))
        complain("sweep_failed", &err);
    else
        kept_tell(&jobs->kept_told, buf_str(&kept), role_path(&a, config, ROLE_KEPT_MARK));
}

static struct claim *
free_claim(struct jobs *jobs, const struct job_kind *kind)
{
    struct claim *free = NULL;
    size_t busy = 0;
    for (size_t i = 0; i < CLAIMS_MAX; i++)
        if (jobs->claims[i].state == CLAIM_FREE)
            free = free ? free : &jobs->claims[i];
        else
            busy += jobs->claims[i].work.kind == kind;
    return busy < kind->slots(jobs->host.config) ? free : NULL;
}

/* Does one that runs keep the job waiting?  The table's rule; see job_claim in job.sql. */
static bool
has_in_the_way(const struct jobs *jobs, const struct job *job)
{
    for (size_t i = 0; i < CLAIMS_MAX; i++) {
        const struct job *running = &jobs->claims[i].work.job;
        if (jobs->claims[i].state != CLAIM_FREE && str_eq(running->dataset, job->dataset) &&
            (job->dataset.n || str_eq(running->kind, job->kind)))
            return true;
    }
    return false;
}

/* Looked up before it is claimed: a claim is a write, and most of the time there is nothing. */
static bool
has_work(struct jobs *jobs, size_t kind)
{
    uint64_t now = clock_steady_us();
    if (now - jobs->claimed_us[kind] > CLAIM_EVERY_US) {
        jobs->claimed_us[kind] = now;
        return true;
    }
    scoped_arena a = {0};
    struct err err;
    struct job *queued;
    size_t count;
    struct job_filter filter = {.state = STR("queued"),
                                .kind = str_from(JOB_KINDS[kind]->name),
                                .limit = QUEUE_LOOKED_AT};
    if (!job_list(&a, jobs->host.db, &filter, &queued, &count, &err))
        return complain("queue_unreadable", &err);
    for (size_t i = 0; i < count; i++)
        if (!has_in_the_way(jobs, &queued[i]))
            return true;
    return false;
}

static void
claim(struct jobs *jobs, size_t number)
{
    const struct job_kind *kind = JOB_KINDS[number];
    struct claim *claim;
    while ((claim = free_claim(jobs, kind)) && has_work(jobs, number)) {
        struct job job;
        struct err err;
        int got = job_claim(&claim->arena, jobs->host.writer, str_from(kind->name), &job, &err);
        if (got < 0)
            complain("claim_failed", &err);
        if (got <= 0) {
            arena_free(&claim->arena);
            return;
        }
        /* Ours: its lease ran out while the machine slept or the writer was away, and is
         * renewed by the claim.  A second child would take the folder from under the first. */
        if (has_in_the_way(jobs, &job)) {
            log_message(LOG_WARN, "lease_ran_out", "%" STR_FMT " goes on", STR_ARG(job.id));
            arena_free(&claim->arena);
            continue;
        }
        claim_start(claim, &jobs->host, kind, &job);
    }
}

/* Jobs read current versions, and start when those are known to be whole. */
static bool
has_begun(struct jobs *jobs)
{
    struct err err;
    bool is_waiting = true;
    if (!jobs->is_begun &&
        !integrity_is_waiting(jobs->host.db, jobs->host.config->start, &is_waiting, &err))
        return complain("catalogue_unreadable", &err);
    jobs->is_begun = jobs->is_begun || !is_waiting;
    return jobs->is_begun;
}

static void
go_round(struct jobs *jobs)
{
    /* The heartbeat, by the steady clock, which nobody sets.  Where it fails /readyz says
     * so. */
    uint64_t now_us = clock_steady_us();
    (void)!pwrite(jobs->heartbeat_fd, &now_us, sizeof(now_us), 0);
    file_check_tick(&jobs->check, &jobs->host);
    struct err err;
    int got = schedule_tick(&jobs->schedule, jobs->host.config, jobs->host.db,
                            jobs->host.writer, clock_now_ms(), &err);
    /* Without a writer it is looked at again, and who claims complains. */
    if (got < 0 && err.kind != ERR_BUSY)
        complain("schedule_failed", &err);
    else if (got > 0)
        log_message(LOG_INFO, "reports_scheduled", "the daily run is in the queue");
    clock_watch(&jobs->clock, jobs->host.writer);
    for (size_t kind = 0; kind < JOB_KIND_COUNT && has_begun(jobs); kind++)
        claim(jobs, kind);
    struct pollfd fds[CLAIMS_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < CLAIMS_MAX; i++) {
        const struct claim *claim = &jobs->claims[i];
        if (claim->state == CLAIM_WORKING)
            fds[count++] = (struct pollfd){.fd = claim->child.pipe, .events = POLLIN};
    }
    /* A signal or an error only makes the round come early. */
    (void)!poll(fds, count, TICK_MS);
    bool has_ended = false;
    for (size_t i = 0; i < CLAIMS_MAX; i++) {
        bool was_busy = jobs->claims[i].state != CLAIM_FREE;
        claim_tick(&jobs->claims[i], &jobs->host);
        has_ended = has_ended || (was_busy && jobs->claims[i].state == CLAIM_FREE);
    }
    uint64_t since_us = clock_steady_us() - jobs->swept_us;
    if (has_ended || since_us > SWEEP_EVERY_US ||
        (since_us > SWEEP_SHORT_EVERY_US && is_disk_short(jobs)))
        sweep(jobs);
}

int
role_run_jobs(const struct role_env *env)
{
    struct jobs jobs = {.host = {.config = env->config, .lock_fd = -1}, .heartbeat_fd = -1};
    struct err err;
    role_handle_signals();
    bool ok = take_lock(&jobs, &err) && open_all(&jobs, &err);
    /* The writer may still be starting; the jobs can wait for it. */
    while (
        ok && !role_is_stopping() &&
        !(integrity_begin(jobs.host.writer, env->config->start, &err) && adopt(&jobs, &err))) {
        ok = err.kind == ERR_BUSY;
        clock_sleep_ms(TICK_MS);
    }
    /* First of all: until it is done datasets are not answered from. */
    if (ok && !role_is_stopping())
        file_check_tick(&jobs.check, &jobs.host);
    if (!ok)
        complain("jobs_cannot_start", &err);
    if (ok && !role_is_stopping()) {
        scoped_arena a = {0};
        sweep(&jobs);
        /* Here, since nobody waits for this role: the writer and the workers serve
         * meanwhile. */
        ledger_check(jobs.host.db, role_path(&a, env->config, ROLE_LEDGER_MARK));
    }
    while (ok && !role_is_stopping())
        go_round(&jobs);
    for (size_t i = 0; i < CLAIMS_MAX; i++)
        claim_stop(&jobs.claims[i], &jobs.host);
    file_check_stop(&jobs.check);
    fs_close(&jobs.heartbeat_fd);
    buf_free(&jobs.kept_told);
    if (jobs.host.writer)
        writer_close(&jobs.host.writer);
    db_close(&jobs.host.db);
    fs_close(&jobs.host.lock_fd); /* last: now a successor may take over */
    return ok ? 0 : 1;
}
