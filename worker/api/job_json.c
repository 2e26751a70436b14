#include "api/job_json.h"

static void
add_optional(struct json *j, const char *key, struct str json)
{
    if (json.n)
        json_member_raw(j, key, json);
    else
        json_member_null(j, key);
}

/* Bytes per second; 0 before there is anything to go by.  Of the running phase, since each has
 * a pace of its own, and of all of the job once it has ended. */
static uint64_t
rate_of(const struct job *job)
{
    bool has_ended = job->finished_at != 0;
    int64_t from = has_ended ? job->started_at : job->phase_at;
    int64_t until = has_ended ? job->finished_at : job->heartbeat_at;
    uint64_t before = has_ended ? 0 : job->phase_bytes;
    if (job->phase.n == 0 || from == 0 || until <= from || job->bytes_done < before)
        return 0;
    return (job->bytes_done - before) * 1000 / (uint64_t)(until - from);
}

static void
add_rate(struct json *j, const struct job *job)
{
    uint64_t rate = rate_of(job);
    json_member_u64_or_null(j, "rate_bytes_per_s", rate);
    uint64_t left = job->bytes_total - MIN(job->bytes_total, job->bytes_done);
    bool is_known = job->state == JOB_RUNNING && job->bytes_total && (rate || left == 0);
    if (is_known)
        json_member_u64(j, "eta_s", left ? (left + rate - 1) / rate : 0);
    else
        json_member_null(j, "eta_s");
}

void
job_add_json(struct json *j, const struct job *job)
{
    json_begin_object(j);
    json_member_str(j, "id", job->id);
    json_member_str(j, "kind", job->kind);
    json_member_str_or_null(j, "dataset", job->dataset);
    json_member_str(j, "state", str_from(job_state_name(job->state)));
    json_member_str_or_null(j, "phase", job->phase);
    json_member_str(j, "label", job->label);
    json_member_str(j, "source", job->source);
    json_member_u64_or_null(j, "bytes_total", job->bytes_total);
    json_member_u64(j, "bytes_done", job->bytes_done);
    json_member_u64(j, "rows_done", job->rows_done);
    json_member_u64(j, "rows_rejected", job->rows_rejected);
    add_rate(j, job);
    json_member_timestamp(j, "heartbeat_at", job->heartbeat_at);
    json_member_timestamp(j, "created_at", job->created_at);
    json_member_timestamp(j, "started_at", job->started_at);
    json_member_timestamp(j, "finished_at", job->finished_at);
    /* As in the answer to a request, paths and numbers of ours are for the log. */
    bool is_ours = str_starts(job->error, STR("{\"code\":\"internal\""));
    add_optional(j, "error",
                 is_ours ? STR("{\"code\":\"internal\",\"detail\":\"The log has the reason "
                               "under this job's id.\"}")
                         : job->error);
    add_optional(j, "result", job->result);
    json_end_object(j);
}

bool
job_answer(struct arena *a, struct db *db, struct str id, struct response *response,
           struct err *err)
{
    struct job job;
    if (!job_get(a, db, id, &job, err))
        return false;
    struct json j = json_write(&response->body);
    response->type = "application/json";
    job_add_json(&j, &job);
    buf_add_char(&response->body, '\n');
    return true;
}

void
job_answer_accepted(struct response *response, struct str id)
{
    response->status = 202;
    response_header(response, "Location", "/v1/jobs/%" STR_FMT, STR_ARG(id));
    response_header(response, "Retry-After", "1");
}
