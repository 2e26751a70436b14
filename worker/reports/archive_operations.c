/* What adding a run does to the database; run by the writer, inside its transaction. */
#include "base/clock.h"
#include "reports/archive.h"
#include "writer/wire.h"

static bool
insert_run(struct db *db, const struct archive_run *run, struct err *err)
{
    scoped_stmt s = db_stmt(db, "report_run_insert");
    stmt_bind_str(s, 1, run->job_id);
    stmt_bind_str(s, 2, run->date);
    stmt_bind_i64(s, 3, run->is_scheduled);
    stmt_bind_str(s, 4, run->inputs_json);
    stmt_bind_i64(s, 5, clock_now_ms());
    return stmt_run(s, err);
}

static bool
insert_report(struct db *db, const struct archive_run *run, size_t place, struct err *err)
{
    const struct archive_report *report = &run->reports[place];
    scoped_stmt s = db_stmt(db, "report_insert");
    stmt_bind_str(s, 1, run->job_id);
    stmt_bind_str(s, 2, report->name);
    stmt_bind_str(s, 3, report->sha256);
    stmt_bind_i64(s, 4, (int64_t)report->bytes);
    stmt_bind_str(s, 5, report->warnings_json);
    stmt_bind_str(s, 6, report->error_json);
    stmt_bind_i64(s, 7, (int64_t)place);
    return stmt_run(s, err);
}

/* The job is finished first: one that is not running any more stores nothing. */
static bool
run_store(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    scoped_arena a = {0};
    struct archive_run run;
    if (!archive_parse(&a, request, &run, err) ||
        !job_finish_in(db, run.job_id, JOB_SUCCEEDED, STR(""), run.receipt_json, err) ||
        !insert_run(db, &run, err))
        return false;
    for (size_t i = 0; i < run.report_count; i++)
        if (!insert_report(db, &run, i, err))
            return false;
    return true;
}

static bool
run_schedule(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    struct str day = wire_str(&w);
    struct job job = {.id = wire_str(&w)};
    job.kind = wire_str(&w);
    job.options = wire_str(&w);
    if (!wire_end(&w, err))
        return false;
    scoped_stmt s = db_stmt(db, "report_schedule_insert");
    stmt_bind_str(s, 1, day);
    stmt_bind_str(s, 2, job.id);
    int got = stmt_step(s, err);
    if (got >= 0)
        wire_add_u64(reply, (uint64_t)got);
    return got == 0 || (got == 1 && job_enqueue_in(db, &job, err));
}

const struct operation REPORT_OPERATIONS[] = {
    {.name = "report_store", .run_bytes = run_store},
    {.name = "report_schedule", .run_bytes = run_schedule},
    {0},
};
