/* Events out of bodies: what is taken of a batch, what is refused and how much of it, and what
 * becomes of one that is too large for one message. */
#include "temp_wallet.h"

#include "players/event_batch.h"

static const struct event_limits LIMITS = {1000, 1000};

static struct event_batch
read_batch(struct temp_db *t, struct str body, bool is_ndjson)
{
    struct err err = {0};
    struct event_batch b;
    if (!event_batch_read(&t->arena, body, is_ndjson, &b, &err))
        fail_msg("%s", err.detail);
    return b;
}

static void
meta_is_kept_as_its_bytes_were(void **state)
{
    struct temp_db *t = *state;
    static const char *const METAS[] = {
        "{ \"a\" : 1.0e+5 , \"b\":[ ] }", "\"\\u00e9 \\\"x\"",   "-0.0", "null", "[1,\t2]",
        "12345678901234567890123",        "{\"]\":\"},{\\\\\"}", "true",
    };
    for (size_t i = 0; i < COUNT_OF(METAS); i++) {
        struct str body = arena_printf(
            &t->arena, " [ {\"meta\":%s ,\"event_type\":\"x\"} , {\"event_type\":\"y\"}]\n",
            METAS[i]);
        struct event_batch b = read_batch(t, body, false);
        assert_int_equal(b.count, 2);
        assert_int_equal(b.results[0].outcome, EVENT_STORED);
        assert_true(str_eq(b.events[0].meta, str_from(METAS[i])));
        assert_true(str_eq(b.events[1].meta, STR("{}")));
        assert_true(str_eq(b.events[1].type, STR("y")));
    }
}

static void
a_member_that_is_wrong_is_named(void **state)
{
    struct temp_db *t = *state;
    static const struct {
        const char *event, *code, *name;
    } CASES[] = {
        {"{}", "missing_member", "event_type"},
        {"{\"event_type\":\"\"}", "invalid", "event_type"},
        {"{\"event_type\":\"a b\"}", "invalid", "event_type"},
        {"{\"event_type\":7}", "invalid", "event_type"},
        {"{\"event_type\":\"earn\"}", "reserved_event_type", "event_type"},
        {"{\"event_type\":\"deeplink_open\"}", "reserved_event_type", "event_type"},
        {"{\"event_type\":\"a\",\"ts_utc\":\"yesterday\"}", "invalid", "ts_utc"},
        {"{\"event_type\":\"a\",\"ts_utc\":1700000000}", "invalid", "ts_utc"},
        {"{\"event_type\":\"a\",\"event_id\":\"\"}", "invalid", "event_id"},
        {"{\"event_type\":\"a\",\"event_id\":5}", "invalid", "event_id"},
        {"{\"event_type\":\"a\",\"properties\":{}}", "unknown_member", "properties"},
        {"[]", "invalid", ""},
        {"null", "invalid", ""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct str body = arena_printf(&t->arena, "[%s]", CASES[i].event);
        struct event_batch b = read_batch(t, body, false);
        assert_int_equal(b.results[0].outcome, EVENT_REFUSED);
        assert_string_equal(err_code(b.results[0].err), CASES[i].code);
        assert_string_equal(b.results[0].err->name, CASES[i].name);
    }
    struct event_batch b = read_batch(t, STR("[{\"event_tpye\":\"a\"}]"), false);
    assert_non_null(strstr(b.results[0].err->detail, "did you mean 'event_type'?"));
}

static struct str
repeated(struct temp_db *t, const char *open, size_t n, const char *close)
{
    char *text = arena_alloc(&t->arena, n);
    memset(text, 'x', n);
    return arena_printf(&t->arena, "%s%" STR_FMT "%s", open, STR_ARG(((struct str){text, n})),
                        close);
}

static void
sizes_are_refused_one_byte_beyond_their_limits(void **state)
{
    struct temp_db *t = *state;
    static const struct {
        const char *open, *close;
        size_t fits;
        const char *code;
    } CASES[] = {
        {"[{\"event_type\":\"", "\"}]", EVENT_TYPE_BYTES_MAX, "invalid"},
        {"[{\"event_type\":\"a\",\"event_id\":\"", "\"}]", EVENT_CLIENT_ID_BYTES_MAX,
         "invalid"},
        {"[{\"event_type\":\"a\",\"meta\":\"", "\"}]", EVENT_META_BYTES_MAX - 2,
         "meta_too_large"},
        {"[{\"event_type\":\"a\",\"meta\":\"", "\"}]", EVENT_ITEM_BYTES_MAX, "event_too_large"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        bool is_item = !strcmp(CASES[i].code, "event_too_large");
        struct event_batch b =
            read_batch(t, repeated(t, CASES[i].open, CASES[i].fits, CASES[i].close), false);
        assert_int_equal(b.results[0].outcome, is_item ? EVENT_REFUSED : EVENT_STORED);
        b = read_batch(t, repeated(t, CASES[i].open, CASES[i].fits + 1, CASES[i].close), false);
        assert_int_equal(b.results[0].outcome, EVENT_REFUSED);
        assert_string_equal(err_code(b.results[0].err), CASES[i].code);
    }
}

static void
an_array_that_is_not_json_is_refused_whole(void **state)
{
    struct temp_db *t = *state;
    static const char *const BODIES[] = {
        "",
        "  \n",
        "7",
        "[",
        "[{\"event_type\":\"a\"}",
        "[{\"event_type\":\"a\"},]",
        "[,{\"event_type\":\"a\"}]",
        "[{\"event_type\":\"a\"} {\"event_type\":\"b\"}]",
        "[{\"event_type\":\"a\"}] x",
        "[{\"event_type\":\"a\"}}]",
        "[{\"event_type\":\"a\",\"event_type\":\"b\"}]",
        "[{\"event_type\":\"a\"},NaN]",
        "[{\"event_type\":\"\\ud800\"}]",
        "[\"\\",
        "[\"",
    };
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        struct err err = {0};
        struct event_batch b;
        if (event_batch_read(&t->arena, str_from(BODIES[i]), false, &b, &err))
            fail_msg("taken: %s", BODIES[i]);
        assert_int_equal(err.kind, ERR_MALFORMED);
    }
    assert_int_equal(read_batch(t, STR(" [ ] "), false).count, 0);
}

static void
a_line_that_is_not_json_is_refused_alone(void **state)
{
    struct temp_db *t = *state;
    struct event_batch b = read_batch(t,
                                      STR("{\"event_type\":\"a\"}\r\n\n{\"event_type\":\n"
                                          "{\"event_type\":\"b\"}"),
                                      false);
    assert_int_equal(b.count, 3);
    assert_int_equal(b.results[0].outcome, EVENT_STORED);
    assert_int_equal(b.results[1].outcome, EVENT_REFUSED);
    assert_string_equal(err_code(b.results[1].err), "malformed");
    assert_true(str_eq(b.events[2].type, STR("b")));
    b = read_batch(t, STR("[1]\n{\"event_type\":\"b\"}"), true);
    assert_int_equal(b.results[0].outcome, EVENT_REFUSED);
    assert_int_equal(b.results[1].outcome, EVENT_STORED);
}

static void
one_event_more_than_a_batch_may_have_is_refused_whole(void **state)
{
    struct temp_db *t = *state;
    scoped_buf body;
    buf_init(&body, MIB);
    for (int i = 0; i < EVENT_BATCH_MAX; i++)
        buf_add_lit(&body, "{\"event_type\":\"a\"}\n");
    assert_int_equal(read_batch(t, buf_str(&body), true).count, EVENT_BATCH_MAX);
    buf_add_lit(&body, "x");
    struct err err = {0};
    struct event_batch b;
    assert_false(event_batch_read(&t->arena, buf_str(&body), true, &b, &err));
    assert_string_equal(err_code(&err), "too_many_events");
    assert_non_null(strstr(err.detail, "1000"));
}

/* A full batch of the longest metas goes to the writer in several operations. */
static void
a_batch_of_eight_megabytes_is_stored_and_read_again(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    add_players(t);
    struct event_new *events = arena_array(&t->arena, EVENT_BATCH_MAX, struct event_new);
    struct event_result *results = arena_array(&t->arena, EVENT_BATCH_MAX, struct event_result);
    struct str meta = repeated(t, "\"", EVENT_META_BYTES_MAX - 2, "\"");
    for (int i = 0; i < EVENT_BATCH_MAX; i++)
        events[i] = (struct event_new){.type = STR("a"), .meta = meta};
    results[500].outcome = EVENT_REFUSED;
    assert_true(
        event_store(&t->arena, t->writer, 1, events, results, EVENT_BATCH_MAX, LIMITS, &err));
    assert_int_equal(results[999].outcome, EVENT_STORED);
    assert_int_equal(results[999].id, 999);
    assert_int_equal(temp_db_number(t, "SELECT sum(length(meta)) FROM event"),
                     999 * (int64_t)EVENT_META_BYTES_MAX);
}

/* Runs the first operation only. */
static bool
store_once(struct arena *a, struct db *db, const void *batch, void *reply, struct err *err)
{
    static int runs;
    if (runs++ > 0)
        return err_set(err, ERR_BUSY, "the writer is away");
    return EVENT_OPERATIONS[0].run(a, db, batch, reply, err);
}

static void
what_the_writer_did_not_take_of_a_batch_is_refused_item_by_item(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    add_players(t);
    struct operation failing[] = {EVENT_OPERATIONS[0], {0}};
    failing[0].run = store_once;
    const struct operation *const table[] = {failing};
    struct writer *w = writer_open_local(t->db, table, 1);
    struct event_new *events = arena_array(&t->arena, EVENT_BATCH_MAX, struct event_new);
    struct event_result *results = arena_array(&t->arena, EVENT_BATCH_MAX, struct event_result);
    struct str meta = repeated(t, "\"", EVENT_META_BYTES_MAX - 2, "\"");
    for (int i = 0; i < EVENT_BATCH_MAX; i++)
        events[i] = (struct event_new){.type = STR("a"), .meta = meta};
    /* One that was refused before keeps its own reason. */
    struct event_result *last = &results[EVENT_BATCH_MAX - 1];
    struct err no_event = {.kind = ERR_INVALID};
    *last = event_refused(&t->arena, &no_event);
    assert_true(event_store(&t->arena, w, 1, events, results, EVENT_BATCH_MAX, LIMITS, &err));
    int64_t stored = 0;
    while (results[stored].outcome == EVENT_STORED)
        stored++;
    assert_true(stored > 200 && stored < EVENT_BATCH_MAX);
    for (int i = (int)stored; i < EVENT_BATCH_MAX - 1; i++) {
        assert_int_equal(results[i].outcome, EVENT_REFUSED);
        assert_int_equal(results[i].err->kind, ERR_BUSY);
    }
    assert_int_equal(last->err->kind, ERR_INVALID);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM event"), stored);
    assert_false(event_store(&t->arena, w, 1, events, results, 1, LIMITS, &err) ||
                 err.kind != ERR_BUSY);
    writer_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(meta_is_kept_as_its_bytes_were),
        DB_TEST(a_member_that_is_wrong_is_named),
        DB_TEST(sizes_are_refused_one_byte_beyond_their_limits),
        DB_TEST(an_array_that_is_not_json_is_refused_whole),
        DB_TEST(a_line_that_is_not_json_is_refused_alone),
        DB_TEST(one_event_more_than_a_batch_may_have_is_refused_whole),
        DB_TEST(a_batch_of_eight_megabytes_is_stored_and_read_again),
        DB_TEST(what_the_writer_did_not_take_of_a_batch_is_refused_item_by_item),
    };
    return cmocka_run_group_tests_name("event_batch", tests, NULL, NULL);
}
