/* See job.h: reading the queue, and the callers' side of changing it.  What the changes do to
 * the database is in the operations of this folder, run by the writer. */
#include "jobs/job.h"

#include "base/clock.h"
#include "base/random.h"
#include "writer/wire.h"
#include "json/write.h"

#include <stdio.h>

/* Options and receipts name each of up to 2,000 columns: some 100 KiB.  Well below the largest
 * message, so that what could be enqueued can also be claimed. */
#define REQUEST_BYTES_MAX (1 * MIB)
#define TIME_DIGITS 12

static const char *const STATE_NAMES[] = {
#define X(state, word) [state] = word,
    JOB_STATES(X)
#undef X
};

const char *
job_state_name(enum job_state state)
{
    return STATE_NAMES[state];
}

/* The table's CHECK allows no other word. */
static enum job_state
parse_state(struct str word)
{
    size_t state = 0;
    while (state < COUNT_OF(STATE_NAMES) && !str_eq(str_from(STATE_NAMES[state]), word))
        state++;
    assert(state < COUNT_OF(STATE_NAMES));
    return (enum job_state)state;
}

/* In the order of the columns in job.sql. */
static struct job
read_job(struct arena *a, struct stmt *s)
{
    return (struct job){
        .id = arena_str(a, stmt_str(s, 0)),
        .kind = arena_str(a, stmt_str(s, 1)),
        .dataset = arena_str(a, stmt_str(s, 2)),
        .state = parse_state(stmt_str(s, 3)),
        .phase = arena_str(a, stmt_str(s, 4)),
        .label = arena_str(a, stmt_str(s, 5)),
        .source = arena_str(a, stmt_str(s, 6)),
        .options = arena_str(a, stmt_str(s, 7)),
        .bytes_total = (uint64_t)stmt_i64(s, 8),
        .bytes_done = (uint64_t)stmt_i64(s, 9),
        .rows_done = (uint64_t)stmt_i64(s, 10),
        .rows_rejected = (uint64_t)stmt_i64(s, 11),
        .created_at = stmt_i64(s, 12),
        .started_at = stmt_i64(s, 13),
        .finished_at = stmt_i64(s, 14),
        .heartbeat_at = stmt_i64(s, 15),
        .attempt = (uint64_t)stmt_i64(s, 16),
        .is_cancel_requested = stmt_i64(s, 17) != 0,
        .error = arena_str(a, stmt_str(s, 18)),
        .result = arena_str(a, stmt_str(s, 19)),
        .phase_at = stmt_i64(s, 20),
        .phase_bytes = (uint64_t)stmt_i64(s, 21),
        .request_id = arena_str(a, stmt_str(s, 22)),
    };
}

bool
job_get(struct arena *a, struct db *db, struct str id, struct job *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "job_get");
    stmt_bind_str(s, 1, id);
    int got = stmt_step(s, err);
    if (got == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no job '%" STR_FMT "'", STR_ARG(id));
    if (got == 1)
        *out = read_job(a, s);
    return got == 1;
}

bool
job_list(struct arena *a, struct db *db, const struct job_filter *filter, struct job **out,
         size_t *out_count, struct err *err)
{
    scoped_stmt s = db_stmt(db, "job_list");
    stmt_bind_str(s, 1, filter->dataset);
    stmt_bind_str(s, 2, filter->state);
    stmt_bind_str(s, 3, filter->kind);
    stmt_bind_str(s, 4, filter->before_id);
    stmt_bind_i64(s, 5, (int64_t)MIN(filter->limit, (uint64_t)INT64_MAX));
    struct job *jobs = NULL;
    size_t count = 0, cap = 0;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        if (count == cap) {
            struct job *larger = arena_array(a, cap = MAX(cap * 2, 16), struct job);
            for (size_t i = 0; i < count; i++)
                larger[i] = jobs[i];
            jobs = larger;
        }
        jobs[count++] = read_job(a, s);
    }
    if (got < 0)
        return false;
    *out = jobs;
    *out_count = count;
    return true;
}

void
job_make_id(char id[JOB_ID_DIGITS + 1])
{
    snprintf(id, TIME_DIGITS + 1, "%012llx",
             (unsigned long long)clock_now_ms() & 0xffffffffffffULL);
    random_hex(id + TIME_DIGITS, JOB_ID_DIGITS - TIME_DIGITS);
}

bool
job_id_is_valid(struct str id)
{
    return id.n == JOB_ID_DIGITS && str_is_hex(id);
}

bool
job_enqueue(struct writer *w, const struct job *job, struct err *err)
{
    scoped_buf request;
    buf_init(&request, REQUEST_BYTES_MAX);
    wire_add_str(&request, job->id);
    wire_add_str(&request, job->kind);
    wire_add_str(&request, job->dataset);
    wire_add_str(&request, job->label);
    wire_add_str(&request, job->source);
    wire_add_str(&request, job->options.n ? job->options : STR("{}"));
    wire_add_str(&request, job->request_id);
    wire_add_u64(&request, job->bytes_total);
    if (request.is_full)
        return err_set(err, ERR_TOO_LARGE, "a job's options have at most %zu bytes",
                       REQUEST_BYTES_MAX);
    return writer_call(w, "job_enqueue", buf_str(&request), NULL, err);
}

/* The reply is the job's columns, which saves the caller a read that may lag behind. */
static bool
read_claimed(struct arena *a, struct str reply, struct job *out, struct err *err)
{
    struct wire r = {.rest = reply};
    struct job job = {.state = JOB_RUNNING};
    struct str *texts[] = {&job.id,     &job.kind,    &job.dataset,   &job.label,
                           &job.source, &job.options, &job.request_id};
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *texts[i] = arena_str(a, wire_str(&r));
    job.bytes_total = wire_u64(&r);
    job.created_at = (int64_t)wire_u64(&r);
    job.started_at = (int64_t)wire_u64(&r);
    job.heartbeat_at = (int64_t)wire_u64(&r);
    job.attempt = wire_u64(&r);
    job.is_cancel_requested = wire_u64(&r) != 0;
    if (!wire_end(&r, err))
        return false;
    *out = job;
    return true;
}

static int
call_claim(struct arena *a, struct writer *w, struct str id, struct str kind, struct job *out,
           struct err *err)
{
    scoped_buf request, reply;
    buf_init(&request, 256);
    buf_init(&reply, 2 * REQUEST_BYTES_MAX);
    wire_add_str(&request, id);
    wire_add_str(&request, kind);
    if (!writer_call(w, "job_claim", buf_str(&request), &reply, err))
        return -1;
    if (reply.n == 0)
        return 0;
    return read_claimed(a, buf_str(&reply), out, err) ? 1 : -1;
}

int
job_claim(struct arena *a, struct writer *w, struct str kind, struct job *out, struct err *err)
{
    return call_claim(a, w, (struct str){0}, kind, out, err);
}

int
job_claim_one(struct arena *a, struct writer *w, struct str id, struct job *out,
              struct err *err)
{
    return call_claim(a, w, id, (struct str){0}, out, err);
}

bool
job_report_progress(struct writer *w, struct str id, const struct job_progress *progress,
                    bool *is_cancel_requested, struct err *err)
{
    scoped_buf request, reply;
    buf_init(&request, 256);
    buf_init(&reply, 64);
    wire_add_str(&request, id);
    wire_add_str(&request, progress->phase);
    wire_add_u64(&request, progress->bytes_total);
    wire_add_u64(&request, progress->bytes_done);
    wire_add_u64(&request, progress->rows_done);
    wire_add_u64(&request, progress->rows_rejected);
    if (!writer_call(w, "job_report_progress", buf_str(&request), &reply, err))
        return false;
    struct wire r = {.rest = buf_str(&reply)};
    bool is_asked = wire_u64(&r) != 0;
    if (!wire_end(&r, err))
        return false;
    *is_cancel_requested = is_asked;
    return true;
}

static bool
call_with_id(struct writer *w, const char *operation, struct str id, struct err *err)
{
    scoped_buf request;
    buf_init(&request, 256);
    wire_add_str(&request, id);
    if (request.is_full)
        return err_set(err, ERR_NOT_FOUND, "a job's id has %d digits", JOB_ID_DIGITS);
    return writer_call(w, operation, buf_str(&request), NULL, err);
}

bool
job_cancel(struct writer *w, struct str id, struct err *err)
{
    return call_with_id(w, "job_cancel", id, err);
}

bool
job_requeue(struct writer *w, struct str id, struct err *err)
{
    return call_with_id(w, "job_requeue", id, err);
}

bool
job_hand_back(struct writer *w, struct str id, struct err *err)
{
    return call_with_id(w, "job_hand_back", id, err);
}

bool
job_finish(struct writer *w, struct str id, enum job_state state, struct str error_json,
           struct str result_json, struct err *err)
{
    scoped_buf request;
    buf_init(&request, REQUEST_BYTES_MAX);
    wire_add_str(&request, id);
    wire_add_u64(&request, state);
    wire_add_str(&request, error_json);
    wire_add_str(&request, result_json);
    if (request.is_full)
        return err_set(err, ERR_TOO_LARGE, "a job's result has at most %zu bytes",
                       REQUEST_BYTES_MAX);
    return writer_call(w, "job_finish", buf_str(&request), NULL, err);
}

struct str
job_error_json(struct arena *a, const struct err *error)
{
    scoped_buf out;
    buf_init(&out, 4 * KIB);
    struct json j = json_write(&out);
    json_begin_object(&j);
    json_member_str(&j, "code", str_from(err_code(error)));
    /* Of internal failures the API shows nothing; the table keeps them for whoever looks in. */
    bool is_whole = error->kind == ERR_INTERNAL;
    json_member_str(&j, "detail",
                    str_from(is_whole ? error->detail : err_public_detail(error)));
    json_end_object(&j);
    return arena_str(a, buf_str(&out));
}
