/* The queue: its states, the order of claims, leases and cancelling. */
#include "temp_db.h"

#include "base/clock.h"
#include "store/db_internal.h"

static bool
claim(struct temp_db *t, struct job *job)
{
    struct err err = {0};
    int got = job_claim(&t->arena, t->writer, STR(""), job, &err);
    if (got < 0)
        fail_msg("%s", err.detail);
    return got == 1;
}

static void
a_job_is_queued_claimed_and_finished(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    struct job job = temp_db_job(t, id);
    assert_int_equal(job.state, JOB_QUEUED);
    assert_true(job.created_at > 0 && job.started_at == 0 && job.finished_at == 0);
    assert_true(str_eq(job.options, STR("{\"mode\":\"replace\"}")) && job.bytes_total == 42);

    assert_true(claim(t, &job));
    assert_true(str_eq(job.id, id) && str_eq(job.source, STR("games.csv")));
    assert_true(str_eq(job.request_id, STR("r-1")));
    assert_true(job.state == JOB_RUNNING && job.attempt == 1 && job.started_at > 0);
    struct job other;
    assert_false(claim(t, &other));

    struct job_progress progress = {STR("reading"), 100, 50, 7, 2};
    bool is_cancelled = true;
    assert_true(job_report_progress(t->writer, id, &progress, &is_cancelled, &err));
    assert_false(is_cancelled);
    job = temp_db_job(t, id);
    assert_true(str_eq(job.phase, STR("reading")) && job.bytes_total == 100);
    assert_true(job.bytes_done == 50 && job.rows_done == 7 && job.rows_rejected == 2);

    assert_true(job_finish(t->writer, id, JOB_SUCCEEDED, STR(""), STR("{\"rows\":7}"), &err));
    job = temp_db_job(t, id);
    assert_int_equal(job.state, JOB_SUCCEEDED);
    assert_true(job.finished_at > 0 && str_eq(job.result, STR("{\"rows\":7}")));
}

static void
a_phase_knows_where_it_began(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    struct job job;
    assert_true(claim(t, &job));
    static const struct {
        const char *phase;
        uint64_t bytes_done, phase_bytes;
        bool begins;
    } STEPS[] = {
        {"receiving", 5, 5, true},  {"receiving", 90, 5, false}, {"reading", 0, 0, true},
        {"reading", 40, 0, false},  {"indexing", 60, 60, true},  {"indexing", 80, 60, false},
        {"indexing", 10, 10, true}, /* of another attempt */
    };
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        temp_db_exec(t, "UPDATE job SET phase_at = 1");
        struct job_progress progress = {str_from(STEPS[i].phase), 100, STEPS[i].bytes_done, 0,
                                        0};
        bool is_cancelled;
        assert_true(job_report_progress(t->writer, id, &progress, &is_cancelled, &err));
        job = temp_db_job(t, id);
        assert_int_equal(job.phase_bytes, STEPS[i].phase_bytes);
        assert_int_equal(job.phase_at, STEPS[i].begins ? job.heartbeat_at : 1);
    }
}

static void
a_finished_job_stays_as_it_is(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    struct job job;
    assert_true(claim(t, &job));
    assert_true(job_finish(t->writer, id, JOB_FAILED, STR("{\"code\":\"x\"}"), STR(""), &err));
    struct job_progress progress = {.phase = STR("reading")};
    bool is_cancelled;
    assert_false(job_report_progress(t->writer, id, &progress, &is_cancelled, &err));
    assert_string_equal(err_code(&err), "job_not_running");
    assert_false(job_cancel(t->writer, id, &err));
    assert_string_equal(err_code(&err), "job_finished");
    assert_false(job_finish(t->writer, id, JOB_SUCCEEDED, STR(""), STR(""), &err));
    assert_string_equal(err_code(&err), "job_finished");
    assert_true(job_requeue(t->writer, id, &err));
    assert_int_equal(temp_db_job(t, id).state, JOB_FAILED);
    assert_false(claim(t, &job));
}

static void
an_unknown_job_is_not_found(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct job job;
    assert_false(job_get(&t->arena, t->db, STR("nope"), &job, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_false(job_cancel(t->writer, STR("nope"), &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_int_equal(job_claim_one(&t->arena, t->writer, STR("nope"), &job, &err), 0);
}

static void
the_same_id_twice_is_a_conflict(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct job again = {.id = temp_db_enqueue(t, "games"), .kind = STR("import")};
    assert_false(job_enqueue(t->writer, &again, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    struct job bad = {.id = STR("../../../../etc/abcd"), .kind = STR("import")};
    assert_false(job_enqueue(t->writer, &bad, &err));
}

static void
claims_go_by_age_with_one_import_per_dataset(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str first = STR("00000000000000000001"), second = STR("00000000000000000002"),
               other = STR("00000000000000000003"), free_job = STR("00000000000000000004");
    struct job jobs[] = {{.id = other, .kind = STR("import"), .dataset = STR("sales")},
                         {.id = second, .kind = STR("import"), .dataset = STR("games")},
                         {.id = free_job, .kind = STR("report")},
                         {.id = first, .kind = STR("import"), .dataset = STR("games")}};
    for (size_t i = 0; i < COUNT_OF(jobs); i++)
        assert_true(job_enqueue(t->writer, &jobs[i], &err));
    struct job job;
    assert_true(claim(t, &job) && str_eq(job.id, first));
    assert_true(claim(t, &job) && str_eq(job.id, other));
    assert_true(claim(t, &job) && str_eq(job.id, free_job));
    assert_false(claim(t, &job)); /* the second waits for the first */
    assert_int_equal(job_claim_one(&t->arena, t->writer, second, &job, &err), 0);
    assert_true(job_finish(t->writer, first, JOB_CANCELLED, STR(""), STR(""), &err));
    assert_int_equal(job_claim_one(&t->arena, t->writer, second, &job, &err), 1);
    assert_true(str_eq(job.id, second));
}

static struct str
enqueue_report(struct temp_db *t)
{
    struct err err = {0};
    char *id = arena_alloc(&t->arena, JOB_ID_DIGITS + 1);
    job_make_id(id);
    struct job job = {.id = str_from(id), .kind = STR("report")};
    if (!job_enqueue(t->writer, &job, &err))
        fail_msg("%s", err.detail);
    return job.id;
}

static void
of_jobs_without_a_dataset_one_of_each_kind_runs(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct job job;
    temp_db_enqueue(t, "games");
    struct str first = enqueue_report(t), second = enqueue_report(t);
    assert_int_equal(job_claim(&t->arena, t->writer, STR("report"), &job, &err), 1);
    assert_false(str_eq(job.kind, STR("import"))); /* though that one is older */
    struct str other = str_eq(job.id, first) ? second : first;
    assert_int_equal(job_claim(&t->arena, t->writer, STR("report"), &job, &err), 0);
    assert_int_equal(job_claim(&t->arena, t->writer, STR("import"), &job, &err), 1);
    assert_true(str_eq(job.dataset, STR("games")));
    struct str running = str_eq(other, first) ? second : first;
    assert_true(job_finish(t->writer, running, JOB_SUCCEEDED, STR(""), STR("{}"), &err));
    assert_int_equal(job_claim(&t->arena, t->writer, STR("report"), &job, &err), 1);
    assert_true(str_eq(job.id, other));
}

static void
a_lease_that_ran_out_is_claimed_again(void **state)
{
    struct temp_db *t = *state;
    struct str id = temp_db_enqueue(t, "games");
    struct job job;
    assert_true(claim(t, &job));
    int64_t started_at = job.started_at;
    temp_db_exec(t, "UPDATE job SET lease_until = 1");
    temp_db_enqueue(t, "games");
    assert_true(claim(t, &job));
    assert_true(str_eq(job.id, id));
    assert_int_equal(job.attempt, 2);
    assert_true(job.started_at == started_at);
    assert_false(claim(t, &job));
}

static void
progress_renews_the_lease(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    struct job job;
    assert_true(claim(t, &job));
    temp_db_exec(t, "UPDATE job SET lease_until = 1");
    struct job_progress progress = {.phase = STR("indexing")};
    bool is_cancelled;
    assert_true(job_report_progress(t->writer, id, &progress, &is_cancelled, &err));
    assert_false(claim(t, &job));
    assert_true(temp_db_number(t, "SELECT lease_until FROM job") >
                clock_now_ms() + JOB_LEASE_MS / 2);
}

static void
a_requeued_job_is_claimed_at_once(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    struct job job;
    assert_true(claim(t, &job));
    assert_true(job_requeue(t->writer, id, &err));
    assert_int_equal(temp_db_job(t, id).state, JOB_QUEUED);
    assert_true(claim(t, &job) && job.attempt == 2);
}

/* Or a service that is reloaded often would give up a long import. */
static void
an_attempt_that_is_handed_back_does_not_count(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    struct job job;
    for (int i = 0; i < 3; i++) {
        assert_true(claim(t, &job) && job.attempt == 1);
        assert_true(job_hand_back(t->writer, id, &err));
        assert_int_equal(temp_db_job(t, id).state, JOB_QUEUED);
    }
}

static void
cancelling_a_queued_job_finishes_it(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    assert_true(job_cancel(t->writer, id, &err));
    struct job job = temp_db_job(t, id);
    assert_int_equal(job.state, JOB_CANCELLED);
    assert_true(job.finished_at > 0);
    assert_false(claim(t, &job));
}

static void
cancelling_a_running_job_asks_it_to_stop(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str id = temp_db_enqueue(t, "games");
    struct job job;
    assert_true(claim(t, &job));
    assert_true(job_cancel(t->writer, id, &err) && job_cancel(t->writer, id, &err));
    assert_int_equal(temp_db_job(t, id).state, JOB_RUNNING);
    struct job_progress progress = {.phase = STR("reading")};
    bool is_cancelled = false;
    assert_true(job_report_progress(t->writer, id, &progress, &is_cancelled, &err));
    assert_true(is_cancelled);
}

/* Its child died before it could stop: nobody wants the job run again. */
static void
a_cancelled_job_is_not_run_again(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct str abandoned = temp_db_enqueue(t, "games"), died = temp_db_enqueue(t, "sales");
    struct job job;
    assert_true(claim(t, &job) && claim(t, &job));
    assert_true(job_cancel(t->writer, abandoned, &err) && job_cancel(t->writer, died, &err));
    assert_true(job_requeue(t->writer, died, &err));
    assert_int_equal(temp_db_job(t, died).state, JOB_CANCELLED);
    temp_db_exec(t, "UPDATE job SET lease_until = 1 WHERE state = 'running'");
    assert_false(claim(t, &job));
    assert_int_equal(temp_db_job(t, abandoned).state, JOB_CANCELLED);
}

static void
lists_are_filtered_and_paged_newest_first(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    for (int i = 0; i < 40; i++) {
        temp_db_enqueue(t, i % 2 ? "games" : "sales");
        temp_db_exec(t, "UPDATE job SET label = rowid");
    }
    struct job_filter filter = {.dataset = STR("games"), .limit = 15};
    struct job *list;
    size_t count;
    assert_true(job_list(&t->arena, t->db, &filter, &list, &count, &err));
    assert_int_equal(count, 15);
    for (size_t i = 1; i < count; i++)
        assert_true(str_cmp(list[i - 1].id, list[i].id) > 0);
    filter.before_id = list[count - 1].id;
    assert_true(job_list(&t->arena, t->db, &filter, &list, &count, &err));
    assert_int_equal(count, 5);
    filter = (struct job_filter){.state = STR("running"), .limit = 15};
    assert_true(job_list(&t->arena, t->db, &filter, &list, &count, &err));
    assert_int_equal(count, 0);
    filter = (struct job_filter){.kind = STR("import"), .limit = 100};
    assert_true(job_list(&t->arena, t->db, &filter, &list, &count, &err));
    assert_int_equal(count, 40);
}

/* Instructions of SQLite: a measure of what is looked at that no other process disturbs. */
static int
steps_of_list(struct temp_db *t, struct job_filter filter, size_t expected)
{
    struct err err = {0};
    struct job *list;
    size_t count;
    sqlite3_stmt *stmt = NULL;
    while ((stmt = sqlite3_next_stmt(db_handle(t->db), stmt)))
        sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
    assert_true(job_list(&t->arena, t->db, &filter, &list, &count, &err));
    assert_int_equal(count, expected);
    int steps = 0;
    while ((stmt = sqlite3_next_stmt(db_handle(t->db), stmt)))
        steps += sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 0);
    return steps;
}

static void
a_list_does_not_look_at_the_jobs_it_leaves_out(void **state)
{
    static const struct {
        struct job_filter filter;
        size_t count;
    } LISTS[] = {
        {{.limit = 100}, 100},
        {{.state = STR("queued"), .limit = 100}, 1},
        {{.state = STR("queued"), .kind = STR("report"), .limit = 100}, 0},
        {{.state = STR("queued"), .dataset = STR("games"), .limit = 100}, 0},
        {{.state = STR("running"), .limit = 100}, 0},
        {{.state = STR("failed"), .limit = 100}, 0},
        {{.kind = STR("report"), .limit = 100}, 0},
        {{.dataset = STR("sales"), .limit = 100}, 1},
        {{.dataset = STR("games"), .state = STR("succeeded"), .limit = 100}, 100},
        {{.before_id = STR("00000000000100000000"), .limit = 100}, 1},
    };
    struct temp_db *t = *state;
    temp_db_exec(
        t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)"
           " INSERT INTO job (id, kind, dataset, state, created_at, finished_at)"
           " SELECT format('%012x%08x', 1000 + i, i), 'import', 'games', 'succeeded', 1, 1"
           " FROM n;"
           "INSERT INTO job (id, kind, dataset, created_at)"
           " VALUES ('00000000000000000001', 'import', 'sales', 1)");
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        int steps = steps_of_list(t, LISTS[i].filter, LISTS[i].count);
        if (steps > 10000)
            fail_msg("list %zu takes %d steps", i, steps);
    }
}

#define SECRET_OPTIONS "{\"import\":{\"mode\":\"append\",\"url\":\"https://a.example/x?s3\"}}"

static struct str
enqueue_url(struct temp_db *t, const char *dataset)
{
    struct str id = temp_db_enqueue(t, dataset);
    temp_db_exec(
        t, arena_printf(&t->arena,
                        "UPDATE job SET options = '" SECRET_OPTIONS "' WHERE id = '%s'", id.p)
               .p);
    return id;
}

/* A URL may be a secret, and once nobody fetches it any more it is not kept. */
static void
a_job_forgets_its_url_however_it_ends(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct job job;
    struct str ids[] = {enqueue_url(t, "finished"), enqueue_url(t, "waiting"),
                        enqueue_url(t, "requeued"), enqueue_url(t, "abandoned")};
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_true(claim(t, &job) && str_eq(job.options, STR(SECRET_OPTIONS)));
    assert_true(job_requeue(t->writer, ids[1], &err));
    assert_true(str_eq(temp_db_job(t, ids[1]).options, STR(SECRET_OPTIONS)));

    assert_true(job_finish(t->writer, ids[0], JOB_FAILED, STR("{}"), STR(""), &err));
    for (size_t i = 1; i < COUNT_OF(ids); i++)
        assert_true(job_cancel(t->writer, ids[i], &err));
    assert_true(job_requeue(t->writer, ids[2], &err));
    temp_db_exec(t, "UPDATE job SET lease_until = 1 WHERE dataset = 'abandoned'");
    assert_false(claim(t, &job));
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        job = temp_db_job(t, ids[i]);
        assert_true(job.finished_at > 0);
        assert_string_equal(job.options.p, "{\"import\":{\"mode\":\"append\"}}");
    }
}

static struct str
text_of(struct temp_db *t, const char *sql)
{
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_prepare_v2(db_handle(t->db), sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    struct str text =
        arena_str(&t->arena, str_from((const char *)sqlite3_column_text(stmt, 0)));
    sqlite3_finalize(stmt);
    return text;
}

static void
urls_that_were_stored_before_lose_their_query(void **state)
{
    struct temp_db *t = *state;
    const struct embed_file *migration =
        embed_find(EMBED_MIGRATIONS, EMBED_MIGRATIONS_COUNT, STR("0008_url_secrets.sql"));
    temp_db_exec(
        t,
        "DROP TRIGGER job_url_is_forgotten;"
        "INSERT INTO job (id, kind, dataset, state, source, options, error, result,"
        " created_at, finished_at) VALUES"
        " ('00000000000000000001', 'import', 'd', 'succeeded', 'https://a.example/x?s3', "
        "'" SECRET_OPTIONS "', '', '{\"source\":\"https://a.example/x?s3\",\"rows\":1}', 1, 1),"
        " ('00000000000000000002', 'import', 'd', 'failed', 'https://a.example/x?s3', "
        "'" SECRET_OPTIONS "', '{\"code\":\"http_status\",\"detail\":\"status 403 from"
        " ''https://b.example/y?s3''; a Google sheet has to be shared\"}', '', 1, 1),"
        " ('00000000000000000003', 'import', 'd', 'queued', 'https://a.example/x?s3', "
        "'" SECRET_OPTIONS "', '', '', 1, 0),"
        " ('00000000000000000004', 'import', 'd', 'succeeded', 'what?.csv', '{}', '',"
        " '{\"source\":\"what?.csv\"}', 1, 1),"
        " ('00000000000000000005', 'import', 'd', 'failed', 'http://n.example/', '{}',"
        " '{\"code\":\"address_not_allowed\",\"detail\":\"it is at 10.0.0.9\"}', '', 1, 1);"
        "INSERT INTO dataset (id, name, is_public, created_at, updated_at)"
        " VALUES (1, 'd', 1, 1, 1);"
        "INSERT INTO dataset_version (dataset_id, number, job_id, schema, summaries, row_count,"
        " source_sha256, source, source_bytes, label, created_at) VALUES (1, 1,"
        " '00000000000000000001', '{}', '{}', 0, '', 'https://a.example/x?s3', 0, '', 1)");
    temp_db_exec(t, migration->text.p);
    assert_string_equal(
        text_of(t, "SELECT group_concat(source || result || error, ' ') FROM job").p,
        "https://a.example/x{\"source\":\"https://a.example/x\",\"rows\":1} "
        "https://a.example/x{\"code\":\"http_status\",\"detail\":\"status 403 from "
        "'https://b.example/y'\"} https://a.example/x what?.csv{\"source\":\"what?.csv\"} "
        "http://n.example/{\"code\":\"address_not_allowed\",\"detail\":\"the host has no "
        "address on the public internet\"}");
    assert_string_equal(text_of(t, "SELECT source FROM dataset_version").p,
                        "https://a.example/x");
    assert_string_equal(
        text_of(t, "SELECT group_concat(id) FROM job WHERE options LIKE '%s3%'").p,
        "00000000000000000003"); /* still to be fetched */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(a_job_is_queued_claimed_and_finished),
        DB_TEST(a_phase_knows_where_it_began),
        DB_TEST(a_finished_job_stays_as_it_is),
        DB_TEST(an_unknown_job_is_not_found),
        DB_TEST(the_same_id_twice_is_a_conflict),
        DB_TEST(claims_go_by_age_with_one_import_per_dataset),
        DB_TEST(of_jobs_without_a_dataset_one_of_each_kind_runs),
        DB_TEST(a_lease_that_ran_out_is_claimed_again),
        DB_TEST(progress_renews_the_lease),
        DB_TEST(a_requeued_job_is_claimed_at_once),
        DB_TEST(a_list_does_not_look_at_the_jobs_it_leaves_out),
        DB_TEST(an_attempt_that_is_handed_back_does_not_count),
        DB_TEST(cancelling_a_queued_job_finishes_it),
        DB_TEST(cancelling_a_running_job_asks_it_to_stop),
        DB_TEST(a_cancelled_job_is_not_run_again),
        DB_TEST(lists_are_filtered_and_paged_newest_first),
        DB_TEST(a_job_forgets_its_url_however_it_ends),
        DB_TEST(urls_that_were_stored_before_lose_their_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
