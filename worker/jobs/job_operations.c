/* Changing the queue: what the writer runs inside its transaction, and the calls of it.  Which
 * changes a state allows is in the WHERE of each statement: a change that finds no row was
 * refused, and only then is the job looked up to say why. */
#include "base/clock.h"
#include "jobs/job.h"

/* Options and receipts name each of up to 2,000 columns: some 100 KiB.  Well below the largest
 * message, so that what could be enqueued can also be claimed. */
#define TEXT_BYTES_MAX (1 * MIB)
#define ID_BYTES_MAX 252 /* a longer one is nobody's */

#define MEMBER(name) CODEC_FIELD(struct job, name)
#define ENQUEUED                                                                               \
    MEMBER(id), MEMBER(kind), MEMBER(dataset), MEMBER(label), MEMBER(source), MEMBER(options), \
        MEMBER(request_id), MEMBER(bytes_total)

static const struct codec ID = CODEC(struct job, MEMBER(id));
static const struct codec NEW = CODEC(struct job, ENQUEUED);
static const struct codec WANTED = CODEC(struct job, MEMBER(id), MEMBER(kind));
static const struct codec CLAIMED =
    CODEC(struct job, ENQUEUED, MEMBER(created_at), MEMBER(started_at), MEMBER(heartbeat_at),
          MEMBER(attempt), MEMBER(is_cancel_requested));
static const struct codec PROGRESS =
    CODEC(struct job, MEMBER(id), MEMBER(phase), MEMBER(bytes_total), MEMBER(bytes_done),
          MEMBER(rows_done), MEMBER(rows_rejected));
static const struct codec ASKED = CODEC(struct job, MEMBER(is_cancel_requested));
/* `attempt` is how many do not count. */
static const struct codec REQUEUED = CODEC(struct job, MEMBER(id), MEMBER(attempt));
static const struct codec FINISHED =
    CODEC(struct job, MEMBER(id), MEMBER(state), MEMBER(error), MEMBER(result));

/* Called when nothing was changed: there is no such job, or its state did not allow it. */
static bool
refuse_job(struct db *db, struct str id, const char *code, struct err *err)
{
    scoped_arena a = {0};
    struct job job;
    if (!job_get(&a, db, id, &job, err))
        return false;
    return err_set_code(err, ERR_CONFLICT, code, "job %" STR_FMT " is %s", STR_ARG(id),
                        job_state_name(job.state));
}

bool
job_enqueue_in(struct db *db, const struct job *job, struct err *err)
{
    const struct str texts[] = {job->id,     job->kind,    job->dataset,   job->label,
                                job->source, job->options, job->request_id};
    scoped_stmt s = db_stmt(db, "job_insert");
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        stmt_bind_str(s, (int)i + 1, texts[i]);
    stmt_bind_i64(s, 8, (int64_t)job->bytes_total);
    stmt_bind_i64(s, 9, clock_now_ms());
    return stmt_run(s, err);
}

static bool
run_enqueue(struct arena *a UNUSED, struct db *db, const void *job, void *reply UNUSED,
            struct err *err)
{
    return job_enqueue_in(db, job, err);
}

/* Claims a job; `*claimed` is its id, "" when there was none to claim. */
static bool
claim(struct arena *a, struct db *db, struct str id_or_empty, struct str kind_or_empty,
      struct str *claimed, struct err *err)
{
    int64_t now = clock_now_ms();
    scoped_stmt abandoned = db_stmt(db, "job_end_abandoned");
    stmt_bind_i64(abandoned, 1, now);
    if (!stmt_run(abandoned, err))
        return false;
    scoped_stmt s = db_stmt(db, "job_claim");
    stmt_bind_i64(s, 1, now);
    stmt_bind_i64(s, 2, now + JOB_LEASE_MS);
    stmt_bind_str(s, 3, id_or_empty);
    stmt_bind_str(s, 4, kind_or_empty);
    int got = stmt_step(s, err);
    *claimed = got == 1 ? arena_str(a, stmt_str(s, 0)) : (struct str){0};
    return got >= 0;
}

static bool
run_claim(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct job *wanted = argument;
    struct str id;
    return claim(a, db, wanted->id, wanted->kind, &id, err) &&
           (id.n == 0 || job_get(a, db, id, reply, err));
}

static bool
run_report_progress(struct arena *a UNUSED, struct db *db, const void *argument, void *reply,
                    struct err *err)
{
    const struct job *job = argument;
    struct job *asked = reply;
    int64_t now = clock_now_ms();
    scoped_stmt s = db_stmt(db, "job_progress");
    stmt_bind_str(s, 1, job->id);
    stmt_bind_str(s, 2, job->phase);
    stmt_bind_i64(s, 3, (int64_t)job->bytes_total);
    stmt_bind_i64(s, 4, (int64_t)job->bytes_done);
    stmt_bind_i64(s, 5, (int64_t)job->rows_done);
    stmt_bind_i64(s, 6, (int64_t)job->rows_rejected);
    stmt_bind_i64(s, 7, now);
    stmt_bind_i64(s, 8, now + JOB_LEASE_MS);
    int got = stmt_step(s, err);
    if (got == 0)
        return refuse_job(db, job->id, "job_not_running", err);
    if (got == 1)
        asked->is_cancel_requested = stmt_i64(s, 0) != 0;
    return got == 1;
}

static bool
run_cancel(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
           struct err *err)
{
    const struct job *job = argument;
    scoped_stmt s = db_stmt(db, "job_cancel");
    stmt_bind_str(s, 1, job->id);
    stmt_bind_i64(s, 2, clock_now_ms());
    int got = stmt_step(s, err);
    return got == 0 ? refuse_job(db, job->id, "job_finished", err) : got == 1;
}

bool
job_finish_in(struct db *db, struct str id, enum job_state state, struct str error_json,
              struct str result_json, struct err *err)
{
    assert(state == JOB_SUCCEEDED || state == JOB_FAILED || state == JOB_CANCELLED);
    scoped_stmt s = db_stmt(db, "job_finish");
    stmt_bind_str(s, 1, id);
    stmt_bind_str(s, 2, str_from(job_state_name(state)));
    stmt_bind_str(s, 3, error_json);
    stmt_bind_str(s, 4, result_json);
    stmt_bind_i64(s, 5, clock_now_ms());
    int got = stmt_step(s, err);
    return got == 0 ? refuse_job(db, id, "job_finished", err) : got == 1;
}

static bool
run_finish(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
           struct err *err)
{
    const struct job *job = argument;
    if (job->state != JOB_SUCCEEDED && job->state != JOB_FAILED && job->state != JOB_CANCELLED)
        return err_set(err, ERR_INTERNAL, "state %u does not end a job", job->state);
    return job_finish_in(db, job->id, job->state, job->error, job->result, err);
}

static bool
run_requeue(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
            struct err *err)
{
    const struct job *job = argument;
    scoped_stmt s = db_stmt(db, "job_requeue");
    stmt_bind_str(s, 1, job->id);
    stmt_bind_i64(s, 2, clock_now_ms());
    stmt_bind_i64(s, 3, (int64_t)job->attempt);
    return stmt_run(s, err);
}

enum { ENQUEUE, CLAIM, REPORT_PROGRESS, CANCEL, FINISH, REQUEUE, OPERATIONS };
const struct operation JOB_OPERATIONS[OPERATIONS + 1] = {
    [ENQUEUE] = {.name = "job_enqueue", .argument = &NEW, .run = run_enqueue},
    [CLAIM] = {.name = "job_claim", .argument = &WANTED, .reply = &CLAIMED, .run = run_claim},
    [REPORT_PROGRESS] = {.name = "job_report_progress",
                         .argument = &PROGRESS,
                         .reply = &ASKED,
                         .run = run_report_progress},
    [CANCEL] = {.name = "job_cancel", .argument = &ID, .run = run_cancel},
    [FINISH] = {.name = "job_finish", .argument = &FINISHED, .run = run_finish},
    [REQUEUE] = {.name = "job_requeue", .argument = &REQUEUED, .run = run_requeue},
};

/* ---- the calls ---- */

bool
job_enqueue(struct writer *w, const struct job *job, struct err *err)
{
    struct job new = *job;
    if (!new.options.n)
        new.options = STR("{}");
    if (new.options.n > TEXT_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "a job's options have at most %zu bytes",
                       TEXT_BYTES_MAX);
    return writer_call(w, &JOB_OPERATIONS[ENQUEUE], &new, NULL, err);
}

/* The reply is the job's columns, which saves the caller a read that may lag behind. */
static int
call_claim(struct arena *a, struct writer *w, const struct job *wanted, struct job *out,
           struct err *err)
{
    struct job job;
    if (!writer_call(w, &JOB_OPERATIONS[CLAIM], wanted, &job, err))
        return -1;
    if (job.id.n == 0)
        return 0;
    struct str *texts[] = {&job.id,     &job.kind,    &job.dataset,   &job.label,
                           &job.source, &job.options, &job.request_id};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_str(a, *texts[i]);
    job.state = JOB_RUNNING;
    *out = job;
    return 1;
}

int
job_claim(struct arena *a, struct writer *w, struct str kind, struct job *out, struct err *err)
{
    return call_claim(a, w, &(struct job){.kind = kind}, out, err);
}

int
job_claim_one(struct arena *a, struct writer *w, struct str id, struct job *out,
              struct err *err)
{
    return call_claim(a, w, &(struct job){.id = id}, out, err);
}

bool
job_report_progress(struct writer *w, struct str id, const struct job_progress *progress,
                    bool *is_cancel_requested, struct err *err)
{
    struct job asked, job = {.id = id,
                             .phase = progress->phase,
                             .bytes_total = progress->bytes_total,
                             .bytes_done = progress->bytes_done,
                             .rows_done = progress->rows_done,
                             .rows_rejected = progress->rows_rejected};
    if (!writer_call(w, &JOB_OPERATIONS[REPORT_PROGRESS], &job, &asked, err))
        return false;
    *is_cancel_requested = asked.is_cancel_requested;
    return true;
}

bool
job_cancel(struct writer *w, struct str id, struct err *err)
{
    if (id.n > ID_BYTES_MAX)
        return err_set(err, ERR_NOT_FOUND, "a job's id has %d digits", JOB_ID_DIGITS);
    return writer_call(w, &JOB_OPERATIONS[CANCEL], &(struct job){.id = id}, NULL, err);
}

bool
job_requeue(struct writer *w, struct str id, struct err *err)
{
    return writer_call(w, &JOB_OPERATIONS[REQUEUE], &(struct job){.id = id}, NULL, err);
}

bool
job_hand_back(struct writer *w, struct str id, struct err *err)
{
    struct job job = {.id = id, .attempt = 1};
    return writer_call(w, &JOB_OPERATIONS[REQUEUE], &job, NULL, err);
}

bool
job_finish(struct writer *w, struct str id, enum job_state state, struct str error_json,
           struct str result_json, struct err *err)
{
    struct job job = {.id = id, .state = state, .error = error_json, .result = result_json};
    if (error_json.n + result_json.n > TEXT_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "a job's result has at most %zu bytes",
                       TEXT_BYTES_MAX);
    return writer_call(w, &JOB_OPERATIONS[FINISH], &job, NULL, err);
}
