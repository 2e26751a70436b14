/* The writer's transactions without its loop: which operations share one, what a refusal
 * leaves, and what is answered when the whole of it is gone. */
#include "temp_db.h"
#include "writer/batch.h"
#include "writer/message.h"

static bool
insert_many(struct arena *a UNUSED, struct db *db, const void *argument UNUSED,
            void *reply UNUSED, struct err *err)
{
    return sqlite_exec(db_handle(db),
                       "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                       " WHERE i < 600) INSERT INTO dataset (name, is_public, created_at,"
                       " updated_at) SELECT hex(randomblob(16)), 0, 0, 0 FROM n",
                       err);
}

static bool
roll_back(struct arena *a UNUSED, struct db *db, const void *argument UNUSED,
          void *reply UNUSED, struct err *err)
{
    return sqlite_exec(db_handle(db), "ROLLBACK; SELECT no_such_column", err);
}

struct text {
    struct str text;
};
static const struct codec TEXT = CODEC(struct text, CODEC_FIELD(struct text, text));

static const struct operation BULK = {.name = "bulk", .argument = &TEXT, .run = insert_many};
static const struct operation MANY = {.name = "many", .run = insert_many};
static const struct operation WALLET = {
    .name = "wallet", .run = insert_many, .is_urgent = true};
static const struct operation ROLL_BACK = {.name = "roll_back", .run = roll_back};

static void
a_transaction_ends_when_it_is_large_enough(void **state)
{
    struct temp_db *t = *state;
    struct buf outs[4];
    struct writer_task tasks[4];
    for (size_t i = 0; i < 4; i++) {
        buf_init(&outs[i], SIZE_MAX);
        tasks[i] = (struct writer_task){.operation = i == 3 ? &WALLET : &MANY, .out = &outs[i]};
    }
    writer_batch_run(t->db, tasks, 4);
    /* The wallet's first, then one that crosses the bound. */
    assert_true(tasks[3].is_answered && tasks[0].is_answered);
    assert_false(tasks[1].is_answered || tasks[2].is_answered);
    assert_true(outs[3].n > 0 && outs[1].n == 0);
    for (size_t i = 0; i < 4; i++)
        buf_free(&outs[i]);
}

/* Which of `count` tasks a batch answers, a bit each; they leave the queue, as in the loop. */
static unsigned
run_round(struct temp_db *t, struct writer_task *tasks, size_t count)
{
    unsigned answered = 0;
    writer_batch_run(t->db, tasks, count);
    for (size_t i = 0; i < count; i++)
        answered |= (unsigned)tasks[i].is_answered << i;
    return answered;
}

static void
a_coin_waits_for_one_large_request_at_most_and_none_of_those_for_ever(void **state)
{
    struct temp_db *t = *state;
    static char bytes[64 * KIB];
    struct text text = {{bytes, sizeof(bytes)}};
    struct buf out;
    scoped_buf large;
    buf_init(&out, SIZE_MAX);
    buf_init(&large, 2 * sizeof(bytes));
    codec_add(&large, &TEXT, &text);
    const struct writer_task wallet = {.operation = &WALLET, .out = &out};
    const struct writer_task small = {.operation = &MANY, .out = &out};
    const struct writer_task bulk = {
        .operation = &BULK, .request = buf_str(&large), .out = &out};
    struct writer_task tasks[] = {bulk, bulk, small, wallet};
    assert_int_equal(run_round(t, tasks, 4), 0xc);
    tasks[2] = wallet;
    assert_int_equal(run_round(t, tasks, 3), 1);
    struct writer_task rest[] = {tasks[1], wallet};
    assert_int_equal(run_round(t, rest, 2), 2);
    rest[1] = wallet;
    assert_int_equal(run_round(t, rest, 2), 1);
    buf_free(&out);
}

static bool
insert_one(struct arena *a UNUSED, struct db *db, const void *argument UNUSED,
           void *reply UNUSED, struct err *err)
{
    return sqlite_exec(db_handle(db),
                       "INSERT INTO dataset (name, is_public, created_at, updated_at)"
                       " VALUES ('games', 1, 0, 0)",
                       err);
}

static const struct operation ONE = {.name = "one", .run = insert_one};

static void
a_transaction_that_is_gone_is_nobodys_success(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct buf outs[3];
    struct writer_task tasks[3];
    for (size_t i = 0; i < 3; i++) {
        buf_init(&outs[i], SIZE_MAX);
        tasks[i] =
            (struct writer_task){.operation = i == 1 ? &ROLL_BACK : &ONE, .out = &outs[i]};
    }
    writer_batch_run(t->db, tasks, 3);
    /* Without a transaction around it, the third would have been stored for good. */
    assert_false(tasks[2].is_answered);
    assert_int_equal(outs[2].n, 0);
    for (size_t i = 0; i < 2; i++) {
        struct str rest = buf_str(&outs[i]), body;
        struct message_reply reply;
        assert_int_equal(message_cut(&rest, &body, &err), 1);
        assert_int_equal(rest.n, 0);
        assert_true(message_read_reply(body, &reply, &err));
        assert_int_equal(reply.outcome, MESSAGE_REFUSED);
        assert_string_equal(err_code(&reply.refusal), "unknown_outcome");
        buf_free(&outs[i]);
    }
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM dataset"), 0);
}

static bool
change_and_refuse(struct arena *a, struct db *db, const void *argument, void *reply,
                  struct err *err)
{
    return insert_many(a, db, argument, reply, err) &&
           err_set(err, ERR_CONFLICT, "not after all: %d", 1);
}

static const struct operation REFUSED = {
    .name = "refused", .run = change_and_refuse, .is_urgent = true};

/* The wallet's operations run first, so there is something before it and something after. */
static void
an_operation_that_fails_after_a_change_is_undone_alone(void **state)
{
    static const struct operation FIRST = {
        .name = "first", .run = insert_one, .is_urgent = true};
    struct temp_db *t = *state;
    struct err err = {0};
    const struct operation *operations[] = {&FIRST, &REFUSED, &MANY};
    struct buf outs[3];
    struct writer_task tasks[3];
    for (size_t i = 0; i < 3; i++) {
        buf_init(&outs[i], SIZE_MAX);
        tasks[i] = (struct writer_task){.operation = operations[i], .out = &outs[i]};
    }
    writer_batch_run(t->db, tasks, 3);
    for (size_t i = 0; i < 3; i++) {
        struct str rest = buf_str(&outs[i]), body;
        struct message_reply reply;
        assert_true(tasks[i].is_answered);
        assert_int_equal(message_cut(&rest, &body, &err), 1);
        assert_int_equal(rest.n, 0);
        assert_true(message_read_reply(body, &reply, &err));
        assert_int_equal(reply.outcome, i == 1 ? MESSAGE_REFUSED : MESSAGE_DONE);
        if (i == 1)
            assert_string_equal(reply.refusal.detail, "not after all: 1");
        buf_free(&outs[i]);
    }
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM dataset"), 601);
}

/* Whether SQLite gives up the statement or the whole transaction is its own affair; what it did
 * must be what is answered. */
static void
a_full_disk_is_told_and_answers_stay_true(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct message_reply replies[2];
    struct buf outs[2];
    struct writer_task tasks[2];
    int64_t pages = temp_db_number(t, "PRAGMA page_count");
    temp_db_exec(
        t, arena_printf(&t->arena, "PRAGMA max_page_count = %lld", (long long)pages + 2).p);
    for (size_t i = 0; i < 2; i++) {
        buf_init(&outs[i], SIZE_MAX);
        tasks[i] = (struct writer_task){.operation = i ? &MANY : &ONE, .out = &outs[i]};
    }
    writer_batch_run(t->db, tasks, 2);
    for (size_t i = 0; i < 2; i++) {
        struct str rest = buf_str(&outs[i]), body;
        assert_int_equal(message_cut(&rest, &body, &err), 1);
        assert_true(message_read_reply(body, &replies[i], &err));
    }
    assert_int_equal(replies[1].outcome, MESSAGE_REFUSED);
    assert_int_equal(replies[1].refusal.kind, ERR_DISK_FULL);
    assert_int_equal(temp_db_number(t, "SELECT count(*) FROM dataset"),
                     replies[0].outcome == MESSAGE_DONE ? 1 : 0);
    buf_free(&outs[0]);
    buf_free(&outs[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(a_transaction_ends_when_it_is_large_enough),
        DB_TEST(a_coin_waits_for_one_large_request_at_most_and_none_of_those_for_ever),
        DB_TEST(a_transaction_that_is_gone_is_nobodys_success),
        DB_TEST(an_operation_that_fails_after_a_change_is_undone_alone),
        DB_TEST(a_full_disk_is_told_and_answers_stay_true),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
