/* What the dispatcher holds every request to, on a database of its own. */
#include "temp_db.h"

#include "api/app.h"
#include "api/job_json.h"
#include "api/problem.h"
#include "writer/message.h"

#include <errno.h>
#include <string.h>

static bool
drop_bytes(void *context UNUSED, struct str bytes UNUSED)
{
    return true;
}

/* GET `uri` with an admin key; the answer's status. */
static int
get(struct temp_db *t, const char *uri, bool is_late, struct err *err)
{
    struct config config;
    assert_true(config_load(&t->arena, NULL, &config, err));
    scoped_db reader = db_open(db_path(t->db), DB_READ_ONLY, err);
    struct app app = {.config = &config, .db = reader};
    char *environment[] = {
        (char *)"REQUEST_METHOD=GET",
        (char *)arena_printf(&t->arena, "REQUEST_URI=%s", uri).p,
        (char *)"PM_SCOPE=admin",
        NULL,
    };
    struct request request;
    SCOPED(response_free) struct response response;
    *err = (struct err){0};
    assert_true(request_parse(&t->arena, environment, &request, err));
    if (is_late)
        request.started_us -= config.workers_deadline * 1000;
    response_init(&response, &request, (struct http_sink){drop_bytes, NULL});
    app_handle(&app, &request, &response, err);
    return response.status;
}

static void
sql_ends_with_the_time_of_its_request(void **state)
{
    struct temp_db *t = *state;
    struct err err;
    temp_db_exec(t,
                 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)"
                 " INSERT INTO job (id, kind, dataset, created_at)"
                 " SELECT printf('%020x', i), 'import', 'games', 1 FROM n");
    /* A list that walks all jobs of the dataset and shows none. */
    const char *uri = "/v1/jobs?dataset=games&state=failed";
    assert_int_equal(get(t, uri, false, &err), 200);
    assert_int_equal(get(t, uri, true, &err), 503);
    assert_string_equal(err_code(&err), "deadline");
    assert_int_equal(get(t, uri, false, &err), 200);
}

static bool
is_shown(const struct buf *out, const char *text)
{
    struct str all = buf_str(out);
    return memmem(all.p, all.n, text, strlen(text)) != NULL;
}

/* Made in the process that answers, by the writer, or in a job. */
static void
a_full_disk_does_not_show_our_paths(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct request request = {.id = STR("r1")};
    struct response response;
    errno = ENOSPC;
    assert_false(err_set_errno(&err, "/srv/data/spool/1/source"));
    scoped_buf frame;
    buf_init(&frame, 4 * KIB);
    message_add_refused(&frame, &err);
    struct str bytes = buf_str(&frame), body;
    struct message_reply reply;
    struct err ignored;
    assert_int_equal(message_cut(&bytes, &body, &ignored), 1);
    assert_true(message_read_reply(body, &reply, &ignored));
    assert_string_equal(reply.refusal.detail, err.detail); /* for the log */
    const struct err *const failures[] = {&err, &reply.refusal};
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        response_init(&response, &request, (struct http_sink){drop_bytes, NULL});
        problem_answer(&response, failures[i]);
        assert_int_equal(response.status, 507);
        assert_true(is_shown(&response.body, "no room left on the disk"));
        assert_false(is_shown(&response.body, "/srv"));
        response_free(&response);
        struct str error = job_error_json(&t->arena, failures[i]);
        assert_null(memmem(error.p, error.n, "/srv", 4));
        assert_non_null(memmem(error.p, error.n, "disk_full", 9));
    }
}

static void
assert_rate(const struct job *job, const char *rate_and_eta)
{
    scoped_buf out;
    buf_init(&out, 4 * KIB);
    struct json j = json_write(&out);
    job_add_json(&j, job);
    if (!is_shown(&out, rate_and_eta))
        fail_msg("no %s in %.*s", rate_and_eta, (int)out.n, out.p);
}

static void
what_is_left_is_reckoned_by_the_pace_of_the_phase(void **state UNUSED)
{
    /* A minute of receiving, then a second of reading a tenth. */
    struct job job = {.state = JOB_RUNNING,
                      .phase = STR("reading"),
                      .bytes_total = 1000,
                      .bytes_done = 100,
                      .created_at = 1,
                      .started_at = 1000,
                      .phase_at = 61000,
                      .heartbeat_at = 62000};
    assert_rate(&job, "\"rate_bytes_per_s\":100,\"eta_s\":9");
    job.phase_bytes = 90;
    assert_rate(&job, "\"rate_bytes_per_s\":10,\"eta_s\":90");
    job.heartbeat_at = job.phase_at;
    assert_rate(&job, "\"rate_bytes_per_s\":null,\"eta_s\":null");
    job.bytes_done = job.phase_bytes = job.bytes_total; /* publishing */
    assert_rate(&job, "\"rate_bytes_per_s\":null,\"eta_s\":0");
    job.state = JOB_SUCCEEDED;
    job.finished_at = 101000;
    assert_rate(&job, "\"rate_bytes_per_s\":10,\"eta_s\":null");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(sql_ends_with_the_time_of_its_request),
        DB_TEST(a_full_disk_does_not_show_our_paths),
        cmocka_unit_test(what_is_left_is_reckoned_by_the_pace_of_the_phase),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
