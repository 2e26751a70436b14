#include "runner/claim.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "catalogue/integrity.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* For job.h's promise.  What is due waits for a frame of the child or for the end of a round,
 * and then for a commit, so it is due early. */
#define TELL_US 250000
/* A child that is told to stop does so at once, unless it hangs in the disk. */
#define PATIENCE_US 2000000
#define RETRY_US 500000

/* ---- begin and ends ---- */

static void
log_event(const struct claim *claim, const char *event, const struct err *err)
{
    struct log_line line = log_begin(err ? LOG_WARN : LOG_INFO, event);
    log_str(&line, "request_id", claim->work.job.request_id);
    log_str(&line, "job", claim->work.job.id);
    log_str(&line, "kind", claim->work.job.kind);
    if (claim->work.job.dataset.n)
        log_str(&line, "dataset", claim->work.job.dataset);
    log_int(&line, "attempt", (int64_t)claim->work.job.attempt);
    if (err) {
        log_str(&line, "code", str_from(err_code(err)));
        log_str(&line, "detail", str_from(err->detail));
    }
    log_end(&line);
}

static void
release(struct claim *claim)
{
    arena_free(&claim->arena);
    *claim = (struct claim){.state = CLAIM_FREE};
}

static void
clean(struct claim *claim)
{
    struct err err;
    const struct job_kind *kind = claim->work.kind;
    if (claim->work.own && kind->clean && !kind->clean(&claim->arena, &claim->work, &err))
        log_event(claim, "folder_not_removed", &err); /* the sweep tries again */
}

/* With a writer that is away the job stays running until this process, or the next, finds it
 * without a lease. */
static void
finish(struct claim *claim, const struct job_host *host, enum job_state state,
       const struct err *error)
{
    struct str error_json = error ? job_error_json(&claim->arena, error) : (struct str){0};
    struct err err;
    clean(claim);
    log_event(claim, job_state_name(state), error);
    if (!job_finish(host->writer, claim->work.job.id, state, error_json, (struct str){0}, &err))
        log_event(claim, "job_not_finished", &err);
    release(claim);
}

/* By job_requeue or job_hand_back. */
static void
requeue(struct claim *claim, const struct job_host *host, const char *event,
        bool (*queue)(struct writer *w, struct str id, struct err *err))
{
    struct err err;
    clean(claim);
    log_event(claim, event, NULL);
    if (!queue(host->writer, claim->work.job.id, &err))
        log_event(claim, "job_not_requeued", &err);
    release(claim);
}

static void
fail(struct claim *claim, const struct job_host *host, const struct err *error)
{
    struct err err;
    if (strcmp(err_code(error), INTEGRITY_ROWS_DAMAGED) == 0 &&
        !integrity_doubt_rows(host->writer, str_from(error->name), &err))
        log_event(claim, "check_not_wanted", &err); /* the schedule brings one */
    bool is_cancel = claim->is_cancelled || strcmp(err_code(error), "cancelled") == 0;
    /* Or each attempt to send it again would leave less room. */
    const struct job_kind *kind = claim->work.kind;
    if (error->kind == ERR_DISK_FULL && kind->remove_source &&
        !kind->remove_source(&claim->arena, &claim->work, &err))
        log_event(claim, "source_not_removed", &err);
    finish(claim, host, is_cancel ? JOB_CANCELLED : JOB_FAILED, is_cancel ? NULL : error);
}

/* Again from the start, unless it was tried often enough. */
static void
try_again(struct claim *claim, const struct job_host *host, const struct err *error)
{
    if (claim->work.job.attempt < JOB_ATTEMPTS_MAX)
        requeue(claim, host, "job_restarts", job_requeue);
    else
        fail(claim, host, error);
}

/* ---- steps ---- */

/* The child of the first step from `step` on that is needed; false: none is. */
static bool
start_child(struct claim *claim, const struct job_host *host, size_t step)
{
    struct err err;
    const struct job_step *steps = claim->work.kind->steps;
    while (step < JOB_STEPS_MAX && steps[step].is_needed &&
           !steps[step].is_needed(&claim->work))
        step++;
    if (step == JOB_STEPS_MAX || !steps[step].name)
        return false;
    claim->last = (struct runner_child_frame){.bytes_total = claim->work.bytes_total};
    snprintf(claim->last.phase, sizeof(claim->last.phase), "%s", steps[step].first_phase);
    claim->told_us = 0; /* who watches sees the step begin */
    claim->step = step;
    if (runner_child_start(&claim->child, &steps[step], &claim->work, host->lock_fd, &err))
        claim->state = CLAIM_WORKING;
    else
        try_again(claim, host, &err);
    return true;
}

void
claim_start(struct claim *claim, const struct job_host *host, const struct job_kind *kind,
            const struct job *job)
{
    struct err err;
    claim->work = (struct job_work){.kind = kind, .config = host->config, .job = *job};
    claim->is_cancelled = job->is_cancel_requested;
    log_event(claim, "job_started", NULL);
    if (claim->is_cancelled) {
        finish(claim, host, JOB_CANCELLED, NULL);
        return;
    }
    /* Those that ended the whole role were never seen to end. */
    if (job->attempt > JOB_ATTEMPTS_MAX) {
        err_set_code(&err, ERR_INTERNAL, kind->crash_code, "%s came to no end in %d attempts",
                     kind->worker, JOB_ATTEMPTS_MAX);
        fail(claim, host, &err);
        return;
    }
    struct job_work work = claim->work;
    if (!kind->prepare(&claim->arena, host, &work, &err)) {
        if (err.kind == ERR_BUSY)
            try_again(claim, host, &err);
        else
            fail(claim, host, &err);
        return;
    }
    claim->work = work;
    bool has_step = start_child(claim, host, 0);
    assert(has_step);
}

/* Was it finished by a call whose answer was lost? */
static bool
is_finished(struct claim *claim, const struct job_host *host)
{
    struct job job;
    struct err err;
    return job_get(&claim->arena, host->db, claim->work.job.id, &job, &err) &&
           job.state != JOB_RUNNING && job.state != JOB_QUEUED;
}

static void
make_it_count(struct claim *claim, const struct job_host *host)
{
    struct err err;
    bool starts_again = false;
    claim->state = CLAIM_FINISHING;
    claim->retry_us = clock_steady_us() + RETRY_US;
    if (claim->work.kind->finish(&claim->arena, host, &claim->work, &starts_again, &err) ||
        is_finished(claim, host)) {
        log_event(claim, "succeeded", NULL);
        release(claim);
    } else if (starts_again) {
        try_again(claim, host, &err);
    } else if (err.kind != ERR_BUSY) {
        fail(claim, host, &err);
    } /* else the writer is away; it comes back, and this is tried again */
}

static bool
tell_writer(const struct claim *claim, const struct job_host *host, bool *is_cancel_requested,
            struct err *err)
{
    const struct runner_child_frame *frame = &claim->last;
    struct job_progress progress = {str_from(frame->phase), frame->bytes_total,
                                    frame->bytes_done, frame->rows_done, frame->rows_rejected};
    return job_report_progress(host->writer, claim->work.job.id, &progress, is_cancel_requested,
                               err);
}

static void
end_of_child(struct claim *claim, const struct job_host *host)
{
    struct err crashed, ignored;
    bool unused;
    int status = runner_child_wait(&claim->child);
    runner_child_tell_end(&crashed, claim->work.kind->worker, status);
    err_set_code(&crashed, ERR_INTERNAL, claim->work.kind->crash_code, "%s, in attempt %llu",
                 crashed.detail, (unsigned long long)claim->work.job.attempt);
    /* The last counts: those of a job that is done are looked at longest.  What follows meets
     * the same writer, and is not silent. */
    (void)!tell_writer(claim, host, &unused, &ignored);
    if (claim->is_cancelled)
        finish(claim, host, JOB_CANCELLED, NULL);
    else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        if (!start_child(claim, host, claim->step + 1))
            make_it_count(claim, host);
    } else if (claim->last.has_error)
        fail(claim, host, &claim->last.error);
    else
        try_again(claim, host, &crashed);
}

/* ---- the running child ---- */

static void
tell_now_and_then(struct claim *claim, const struct job_host *host)
{
    uint64_t now = clock_steady_us();
    if (now - claim->told_us < TELL_US)
        return;
    claim->told_us = now;
    bool is_cancel_requested = false;
    struct err err;
    if (!tell_writer(claim, host, &is_cancel_requested, &err)) {
        /* Away for a moment is no reason to stop; no longer ours is. */
        if (strcmp(err_code(&err), "job_not_running") != 0)
            return;
        is_cancel_requested = true;
    }
    if (is_cancel_requested && !claim->is_cancelled) {
        claim->is_cancelled = true;
        claim->kill_us = now + PATIENCE_US;
        kill(claim->child.pid, SIGTERM);
    }
}

static void
tick_child(struct claim *claim, const struct job_host *host)
{
    int got;
    struct runner_child_frame frame;
    while ((got = runner_child_read(&claim->child, &frame)) == 1) {
        if (!frame.has_error)
            claim->last = frame;
        claim->last.has_error = frame.has_error; /* it comes without counts */
        claim->last.error = frame.error;
    }
    if (got == 0) {
        if (claim->is_cancelled && clock_steady_us() > claim->kill_us)
            kill(claim->child.pid, SIGKILL);
        tell_now_and_then(claim, host);
        return;
    }
    end_of_child(claim, host);
}

void
claim_tick(struct claim *claim, const struct job_host *host)
{
    if (claim->state == CLAIM_WORKING)
        tick_child(claim, host);
    else if (claim->state == CLAIM_FINISHING && clock_steady_us() > claim->retry_us)
        make_it_count(claim, host);
}

void
claim_stop(struct claim *claim, const struct job_host *host)
{
    if (claim->state == CLAIM_FREE)
        return;
    if (claim->state != CLAIM_FINISHING) {
        /* Its work is thrown away, so there is nothing to end in order. */
        kill(claim->child.pid, SIGKILL);
        runner_child_wait(&claim->child);
    } else {
        make_it_count(claim, host);
    }
    if (claim->state != CLAIM_FREE)
        requeue(claim, host, "job_requeued", job_hand_back);
}
