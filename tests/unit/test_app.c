/* What the dispatcher holds every request to, on a database of its own. */
#include "temp_db.h"

#include "api/app.h"

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
    temp_db_exec(t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000)"
                    " INSERT INTO job (id, kind, dataset, created_at)"
                    " SELECT printf('%020x', i), 'import', 'games', 1 FROM n");
    assert_int_equal(get(t, "/v1/jobs?dataset=none", false, &err), 200);
    assert_int_equal(get(t, "/v1/jobs?dataset=none", true, &err), 503);
    assert_string_equal(err_code(&err), "deadline");
    assert_int_equal(get(t, "/v1/jobs?dataset=none", false, &err), 200);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(sql_ends_with_the_time_of_its_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
