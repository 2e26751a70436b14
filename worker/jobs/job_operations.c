/* What changes of the queue do to the database; run by the writer, inside its transaction (see
 * writer.h).  Which changes a state allows is in the WHERE of each statement: a change that
 * finds no row was refused, and only then is the job looked up to say why. */
#include "base/clock.h"
#include "jobs/job.h"
#include "writer/wire.h"

/* Nothing changed: there is no such job, or its state did not allow it. */
static bool
refuse(struct db *db, struct str id, const char *code, struct err *err)
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
run_enqueue(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    struct job job = {0};
    struct str *texts[] = {&job.id,     &job.kind,    &job.dataset,   &job.label,
                           &job.source, &job.options, &job.request_id};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = wire_str(&w);
    job.bytes_total = wire_u64(&w);
    return wire_end(&w, err) && job_enqueue_in(db, &job, err);
}

static void
add_claimed(const struct job *job, struct buf *reply)
{
    wire_add_str(reply, job->id);
    wire_add_str(reply, job->kind);
    wire_add_str(reply, job->dataset);
    wire_add_str(reply, job->label);
    wire_add_str(reply, job->source);
    wire_add_str(reply, job->options);
    wire_add_str(reply, job->request_id);
    wire_add_u64(reply, job->bytes_total);
    wire_add_u64(reply, (uint64_t)job->created_at);
    wire_add_u64(reply, (uint64_t)job->started_at);
    wire_add_u64(reply, (uint64_t)job->heartbeat_at);
    wire_add_u64(reply, job->attempt);
    wire_add_u64(reply, job->is_cancel_requested);
}

static bool
end_abandoned(struct db *db, int64_t now, struct err *err)
{
    scoped_stmt s = db_stmt(db, "job_end_abandoned");
    stmt_bind_i64(s, 1, now);
    return stmt_run(s, err);
}

/* Claims; the id of what was claimed, "" for nothing. */
static bool
claim(struct arena *a, struct db *db, struct str id_or_empty, struct str kind_or_empty,
      struct str *claimed, struct err *err)
{
    int64_t now = clock_now_ms();
    if (!end_abandoned(db, now, err))
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
run_claim(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    struct str wanted = wire_str(&w), kind = wire_str(&w), id;
    scoped_arena a = {0};
    struct job job;
    if (!wire_end(&w, err) || !claim(&a, db, wanted, kind, &id, err))
        return false;
    if (id.n == 0)
        return true;
    if (!job_get(&a, db, id, &job, err))
        return false;
    add_claimed(&job, reply);
    return true;
}

static bool
run_report_progress(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    struct str id = wire_str(&w);
    int64_t now = clock_now_ms();
    scoped_stmt s = db_stmt(db, "job_progress");
    stmt_bind_str(s, 1, id);
    stmt_bind_str(s, 2, wire_str(&w));
    for (int i = 3; i <= 6; i++)
        stmt_bind_i64(s, i, (int64_t)wire_u64(&w));
    stmt_bind_i64(s, 7, now);
    stmt_bind_i64(s, 8, now + JOB_LEASE_MS);
    if (!wire_end(&w, err))
        return false;
    int got = stmt_step(s, err);
    if (got == 0)
        return refuse(db, id, "job_not_running", err);
    if (got == 1)
        wire_add_u64(reply, (uint64_t)stmt_i64(s, 0));
    return got == 1;
}

static bool
run_cancel(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    struct str id = wire_str(&w);
    scoped_stmt s = db_stmt(db, "job_cancel");
    stmt_bind_str(s, 1, id);
    stmt_bind_i64(s, 2, clock_now_ms());
    if (!wire_end(&w, err))
        return false;
    int got = stmt_step(s, err);
    return got == 0 ? refuse(db, id, "job_finished", err) : got == 1;
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
    return got == 0 ? refuse(db, id, "job_finished", err) : got == 1;
}

static bool
run_finish(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    struct str id = wire_str(&w);
    uint64_t state = wire_u64(&w);
    struct str error = wire_str(&w), result = wire_str(&w);
    if (!wire_end(&w, err))
        return false;
    if (state != JOB_SUCCEEDED && state != JOB_FAILED && state != JOB_CANCELLED)
        return err_set(err, ERR_INTERNAL, "state %llu does not end a job",
                       (unsigned long long)state);
    return job_finish_in(db, id, (enum job_state)state, error, result, err);
}

static bool
requeue(struct db *db, struct str request, int64_t attempts_back, struct err *err)
{
    struct wire w = {.rest = request};
    scoped_stmt s = db_stmt(db, "job_requeue");
    stmt_bind_str(s, 1, wire_str(&w));
    stmt_bind_i64(s, 2, clock_now_ms());
    stmt_bind_i64(s, 3, attempts_back);
    return wire_end(&w, err) && stmt_run(s, err);
}

static bool
run_requeue(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    return requeue(db, request, 0, err);
}

static bool
run_hand_back(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    return requeue(db, request, 1, err);
}

const struct operation JOB_OPERATIONS[] = {
    {.name = "job_enqueue", .run_bytes = run_enqueue},
    {.name = "job_claim", .run_bytes = run_claim},
    {.name = "job_report_progress", .run_bytes = run_report_progress},
    {.name = "job_cancel", .run_bytes = run_cancel},
    {.name = "job_finish", .run_bytes = run_finish},
    {.name = "job_requeue", .run_bytes = run_requeue},
    {.name = "job_hand_back", .run_bytes = run_hand_back},
    {0},
};
