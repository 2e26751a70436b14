/* See job.h: reading the queue.  What changes it is in job_operations.c. */
#include "jobs/job.h"

#include "base/clock.h"
#include "base/random.h"
#include "json/write.h"

#include <stdio.h>

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

/* The table's CHECK admits only these words. */
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
        jobs = arena_grow(a, jobs, &cap, count + 1, sizeof(*jobs));
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

struct str
job_error_json(struct arena *a, const struct err *error)
{
    scoped_buf out;
    buf_init(&out, 4 * KIB);
    struct json j = json_write(&out);
    json_begin_object(&j);
    json_member_str(&j, "code", str_from(err_code(error)));
    /* The API hides the detail of internal failures; the table keeps it for the operator. */
    bool is_whole = error->kind == ERR_INTERNAL;
    json_member_str(&j, "detail",
                    str_from(is_whole ? error->detail : err_public_detail(error)));
    json_end_object(&j);
    return arena_str(a, buf_str(&out));
}
