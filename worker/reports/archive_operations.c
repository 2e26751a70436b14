/* Adding a run: what the writer runs inside its transaction, and the calls of it. */
#include "base/clock.h"
#include "reports/archive.h"

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

/* Finishes the job first: when the job is no longer running, nothing is stored. */
static bool
run_store(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
          struct err *err)
{
    const struct archive_run *run = argument;
    if (!job_finish_in(db, run->job_id, JOB_SUCCEEDED, STR(""), run->receipt_json, err))
        return false;
    scoped_stmt s = db_stmt(db, "report_run_insert");
    stmt_bind_str(s, 1, run->job_id);
    stmt_bind_str(s, 2, run->date);
    stmt_bind_i64(s, 3, run->is_scheduled);
    stmt_bind_str(s, 4, run->inputs_json);
    stmt_bind_i64(s, 5, clock_now_ms());
    if (!stmt_run(s, err))
        return false;
    for (size_t i = 0; i < run->report_count; i++)
        if (!insert_report(db, run, i, err))
            return false;
    return true;
}

struct scheduled {
    struct str day;
    struct job job;
    bool is_enqueued; /* the reply */
};

static bool
run_schedule(struct arena *a UNUSED, struct db *db, const void *argument, void *reply,
             struct err *err)
{
    const struct scheduled *wanted = argument;
    struct scheduled *done = reply;
    scoped_stmt s = db_stmt(db, "report_schedule_insert");
    stmt_bind_str(s, 1, wanted->day);
    stmt_bind_str(s, 2, wanted->job.id);
    int got = stmt_step(s, err);
    done->is_enqueued = got == 1;
    return got == 0 || (got == 1 && job_enqueue_in(db, &wanted->job, err));
}

#define REPORT(name) CODEC_FIELD(struct archive_report, name)
static const struct codec MADE =
    CODEC(struct archive_report, REPORT(name), REPORT(sha256), REPORT(bytes),
          REPORT(warnings_json), REPORT(error_json));
#define RUN(name) CODEC_FIELD(struct archive_run, name)
const struct codec ARCHIVE_RUN = CODEC(
    struct archive_run, RUN(job_id), RUN(date), RUN(is_scheduled), RUN(inputs_json),
    RUN(receipt_json),
    CODEC_FIELD_LIST(struct archive_run, reports, report_count, ARCHIVE_REPORTS_MAX, &MADE));
#define SCHEDULED(name) CODEC_FIELD(struct scheduled, name)
static const struct codec WANTED = CODEC(struct scheduled, SCHEDULED(day), SCHEDULED(job.id),
                                         SCHEDULED(job.kind), SCHEDULED(job.options));
static const struct codec DONE = CODEC(struct scheduled, SCHEDULED(is_enqueued));

enum { STORE, SCHEDULE, OPERATIONS };
const struct operation REPORT_OPERATIONS[OPERATIONS + 1] = {
    [STORE] = {.name = "report_store", .argument = &ARCHIVE_RUN, .run = run_store},
    [SCHEDULE] = {.name = "report_schedule",
                  .argument = &WANTED,
                  .reply = &DONE,
                  .run = run_schedule},
};

/* ---- the calls ---- */

bool
archive_store(struct writer *w, const struct archive_run *run, struct err *err)
{
    return writer_call(w, &REPORT_OPERATIONS[STORE], run, NULL, err);
}

bool
archive_schedule(struct writer *w, struct str day, const struct job *job, bool *is_enqueued,
                 struct err *err)
{
    struct scheduled wanted = {.day = day, .job = *job}, done;
    if (!writer_call(w, &REPORT_OPERATIONS[SCHEDULE], &wanted, &done, err))
        return false;
    *is_enqueued = done.is_enqueued;
    return true;
}
