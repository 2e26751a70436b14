/* See job_run.h. */
#include "runner/run.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "catalogue/integrity.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Progress is promised twice a second.  What is due waits for a frame of the child or for the
 * end of a round, and then for a commit, so it is due early. */
#define TELL_US 250000
/* A child that is told to stop does so at once, unless it hangs in the disk. */
#define PATIENCE_US 2000000
#define RETRY_US 500000

/* ---- begin and ends ---- */

static void
log_event(const struct job_run *run, const char *event, const struct err *err)
{
    struct log_line line = log_begin(err ? LOG_WARN : LOG_INFO, event);
    log_str(&line, "request_id", run->work.job.request_id);
    log_str(&line, "job", run->work.job.id);
    log_str(&line, "kind", run->work.job.kind);
    if (run->work.job.dataset.n)
        log_str(&line, "dataset", run->work.job.dataset);
    log_int(&line, "attempt", (int64_t)run->work.job.attempt);
    if (err) {
        log_str(&line, "code", str_from(err_code(err)));
        log_str(&line, "detail", str_from(err->detail));
    }
    log_end(&line);
}

static void
release(struct job_run *run)
{
    arena_free(&run->arena);
    *run = (struct job_run){.state = JOB_RUN_FREE};
}

static void
clean(struct job_run *run)
{
    struct err err;
    const struct job_kind *kind = run->work.kind;
    if (run->work.own && kind->clean && !kind->clean(&run->arena, &run->work, &err))
        log_event(run, "folder_not_removed", &err); /* the sweep tries again */
}

/* With a writer that is away the job stays running until this process, or the next, finds it
 * without a lease. */
static void
finish(struct job_run *run, const struct job_host *host, enum job_state state,
       const struct err *error)
{
    struct str error_json = error ? job_error_json(&run->arena, error) : (struct str){0};
    struct err err;
    clean(run);
    log_event(run, job_state_name(state), error);
    if (!job_finish(host->writer, run->work.job.id, state, error_json, (struct str){0}, &err))
        log_event(run, "job_not_finished", &err);
    release(run);
}

static void
requeue(struct job_run *run, const struct job_host *host)
{
    struct err err;
    clean(run);
    log_event(run, "job_restarts", NULL);
    if (!job_requeue(host->writer, run->work.job.id, &err))
        log_event(run, "job_not_requeued", &err);
    release(run);
}

static void
hand_back(struct job_run *run, const struct job_host *host)
{
    struct err err;
    clean(run);
    log_event(run, "job_requeued", NULL);
    if (!job_hand_back(host->writer, run->work.job.id, &err))
        log_event(run, "job_not_requeued", &err);
    release(run);
}

static void
have_files_checked(struct job_run *run, const struct job_host *host, const struct err *error)
{
    struct err err;
    if (!integrity_doubt_rows(host->writer, str_from(error->name), &err))
        log_event(run, "check_not_wanted", &err); /* the schedule brings one */
}

static void
fail(struct job_run *run, const struct job_host *host, const struct err *error)
{
    if (strcmp(err_code(error), INTEGRITY_ROWS_DAMAGED) == 0)
        have_files_checked(run, host, error);
    bool is_cancel = run->is_cancelled || strcmp(err_code(error), "cancelled") == 0;
    struct err err;
    /* Or each attempt to send it again would leave less room. */
    const struct job_kind *kind = run->work.kind;
    if (error->kind == ERR_DISK_FULL && kind->remove_source &&
        !kind->remove_source(&run->arena, &run->work, &err))
        log_event(run, "source_not_removed", &err);
    finish(run, host, is_cancel ? JOB_CANCELLED : JOB_FAILED, is_cancel ? NULL : error);
}

/* Again from the start, unless it was tried often enough. */
static void
try_again(struct job_run *run, const struct job_host *host, const struct err *error)
{
    if (run->work.job.attempt < JOB_ATTEMPTS_MAX)
        requeue(run, host);
    else
        fail(run, host, error);
}

/* ---- steps ---- */

/* The child of the first step from `step` on that is needed; false: none is. */
static bool
start_child(struct job_run *run, const struct job_host *host, size_t step)
{
    struct err err;
    const struct job_step *steps = run->work.kind->steps;
    while (step < JOB_STEPS_MAX && steps[step].is_needed && !steps[step].is_needed(&run->work))
        step++;
    if (step == JOB_STEPS_MAX || !steps[step].name)
        return false;
    run->last = (struct job_child_frame){.bytes_total = run->work.bytes_total};
    snprintf(run->last.phase, sizeof(run->last.phase), "%s", steps[step].first_phase);
    run->told_us = 0; /* who watches sees the step begin */
    run->step = step;
    if (job_child_start(&run->child, &steps[step], &run->work, host->lock_fd, &err))
        run->state = JOB_RUN_WORKING;
    else
        try_again(run, host, &err);
    return true;
}

void
job_run_start(struct job_run *run, const struct job_host *host, const struct job_kind *kind,
              const struct job *job)
{
    struct err err;
    run->work = (struct job_work){.kind = kind, .config = host->config, .job = *job};
    run->is_cancelled = job->is_cancel_requested;
    log_event(run, "job_started", NULL);
    if (run->is_cancelled) {
        finish(run, host, JOB_CANCELLED, NULL);
        return;
    }
    /* Those that ended the whole role were never seen to end. */
    if (job->attempt > JOB_ATTEMPTS_MAX) {
        err_set_code(&err, ERR_INTERNAL, kind->crash_code, "%s came to no end in %d attempts",
                     kind->worker, JOB_ATTEMPTS_MAX);
        fail(run, host, &err);
        return;
    }
    struct job_work work = run->work;
    if (!kind->prepare(&run->arena, host, &work, &err)) {
        if (err.kind == ERR_BUSY)
            try_again(run, host, &err);
        else
            fail(run, host, &err);
        return;
    }
    run->work = work;
    bool has_step = start_child(run, host, 0);
    assert(has_step);
}

/* Was it finished by a call whose answer was lost? */
static bool
is_finished(struct job_run *run, const struct job_host *host)
{
    struct job job;
    struct err err;
    return job_get(&run->arena, host->db, run->work.job.id, &job, &err) &&
           job.state != JOB_RUNNING && job.state != JOB_QUEUED;
}

static void
make_it_count(struct job_run *run, const struct job_host *host)
{
    struct err err;
    bool starts_again = false;
    run->state = JOB_RUN_FINISHING;
    run->retry_us = clock_steady_us() + RETRY_US;
    if (run->work.kind->finish(&run->arena, host, &run->work, &starts_again, &err) ||
        is_finished(run, host)) {
        log_event(run, "succeeded", NULL);
        release(run);
    } else if (starts_again) {
        try_again(run, host, &err);
    } else if (err.kind != ERR_BUSY) {
        fail(run, host, &err);
    } /* else the writer is away; it comes back, and this is tried again */
}

/* The last counts: those of a job that is done are looked at longest. */
static void
tell_last(struct job_run *run, const struct job_host *host)
{
    struct job_progress progress = {str_from(run->last.phase), run->last.bytes_total,
                                    run->last.bytes_done, run->last.rows_done,
                                    run->last.rows_rejected};
    struct err ignored; /* what follows meets the same writer, and is not silent */
    bool is_cancel_requested;
    (void)!job_report_progress(host->writer, run->work.job.id, &progress, &is_cancel_requested,
                               &ignored);
}

static void
end_of_child(struct job_run *run, const struct job_host *host, int status)
{
    struct err crashed;
    job_child_tell_end(&crashed, run->work.kind->worker, status);
    err_set_code(&crashed, ERR_INTERNAL, run->work.kind->crash_code, "%s, in attempt %llu",
                 crashed.detail, (unsigned long long)run->work.job.attempt);
    tell_last(run, host);
    if (run->is_cancelled)
        finish(run, host, JOB_CANCELLED, NULL);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        if (!start_child(run, host, run->step + 1))
            make_it_count(run, host);
    } else if (run->last.has_error)
        fail(run, host, &run->last.error);
    else
        try_again(run, host, &crashed);
}

/* ---- the running child ---- */

static void
tell_writer(struct job_run *run, const struct job_host *host)
{
    const struct job_child_frame *frame = &run->last;
    uint64_t now = clock_steady_us();
    if (now - run->told_us < TELL_US)
        return;
    run->told_us = now;
    struct job_progress progress = {str_from(frame->phase), frame->bytes_total,
                                    frame->bytes_done, frame->rows_done, frame->rows_rejected};
    bool is_cancel_requested = false;
    struct err err;
    if (!job_report_progress(host->writer, run->work.job.id, &progress, &is_cancel_requested,
                             &err)) {
        /* Away for a moment is no reason to stop; no longer ours is. */
        if (strcmp(err_code(&err), "job_not_running") != 0)
            return;
        is_cancel_requested = true;
    }
    if (is_cancel_requested && !run->is_cancelled) {
        run->is_cancelled = true;
        run->kill_us = now + PATIENCE_US;
        kill(run->child.pid, SIGTERM);
    }
}

static void
tick_child(struct job_run *run, const struct job_host *host)
{
    int got;
    struct job_child_frame frame;
    while ((got = job_child_read(&run->child, &frame)) == 1) {
        if (!frame.has_error)
            run->last = frame;
        run->last.has_error = frame.has_error; /* it comes without counts */
        run->last.error = frame.error;
    }
    if (got == 0) {
        if (run->is_cancelled && clock_steady_us() > run->kill_us)
            kill(run->child.pid, SIGKILL);
        tell_writer(run, host);
        return;
    }
    int status = 0;
    /* The pipe is closed, so the child is ending. */
    while (waitpid(run->child.pid, &status, 0) < 0 && errno == EINTR)
        continue;
    fs_close(&run->child.pipe);
    end_of_child(run, host, status);
}

void
job_run_tick(struct job_run *run, const struct job_host *host)
{
    if (run->state == JOB_RUN_WORKING)
        tick_child(run, host);
    else if (run->state == JOB_RUN_FINISHING && clock_steady_us() > run->retry_us)
        make_it_count(run, host);
}

void
job_run_stop(struct job_run *run, const struct job_host *host)
{
    if (run->state == JOB_RUN_FREE)
        return;
    if (run->state != JOB_RUN_FINISHING) {
        int status;
        /* Its work is thrown away, so there is nothing to end in order. */
        kill(run->child.pid, SIGKILL);
        while (waitpid(run->child.pid, &status, 0) < 0 && errno == EINTR)
            continue;
        fs_close(&run->child.pipe);
    } else {
        make_it_count(run, host);
    }
    if (run->state != JOB_RUN_FREE)
        hand_back(run, host);
}
