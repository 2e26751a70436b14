/* store/: migrations, the statement table, the wire format, and rows.db both ways. */
#include "base/fs.h"
#include "store/db_internal.h"
#include "store/rows.h"
#include "store/sqlite.h"
#include "temp_dir.h"
#include "writer/message.h"
#include "writer/wire.h"

#include <math.h>
#include <string.h>

static struct db *
open_db(const char *path, enum db_mode mode)
{
    struct err err = {0};
    struct db *db = db_open(path, mode, &err);
    if (!db)
        fail_msg("%s", err.detail);
    return db;
}

static int
migrate(const char *path)
{
    struct err err = {0};
    scoped_db db = open_db(path, DB_MIGRATE);
    int count = -1;
    if (!db_migrate(db, &count, &err))
        fail_msg("%s", err.detail);
    return count;
}

static void
migrations_run_once(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    assert_true(migrate(path) > 0);
    assert_int_equal(migrate(path), 0);
    scoped_db db = open_db(path, DB_WRITER);
    assert_string_equal(db_path(db), path);
}

static void
a_database_without_migrations_is_refused(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    struct err err = {0};
    scoped_db empty = open_db(path, DB_MIGRATE);
    assert_null(db_open(path, DB_READ_ONLY, &err));
    assert_string_equal(err_code(&err), "schema_version");
    assert_non_null(strstr(err.detail, "playmeter migrate"));
}

static void
a_database_of_a_newer_program_is_refused(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    migrate(path);
    struct err err = {0};
    scoped_db db = open_db(path, DB_MIGRATE);
    assert_true(sqlite_exec(db_handle(db), "PRAGMA user_version = 999", &err));
    int count = -1;
    assert_false(db_migrate(db, &count, &err));
    assert_string_equal(err_code(&err), "schema_version");
    assert_int_equal(count, -1);
    assert_null(db_open(path, DB_WRITER, &err));
    assert_string_equal(err_code(&err), "schema_version");
}

static void
a_database_of_other_migration_texts_is_refused(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    migrate(path);
    struct err err = {0};
    scoped_db db = open_db(path, DB_MIGRATE);
    assert_true(sqlite_exec(db_handle(db), "UPDATE migration SET sha256 = 'x'", &err));
    assert_null(db_open(path, DB_READ_ONLY, &err));
    assert_string_equal(err_code(&err), "schema_version");
}

static void
a_reader_cannot_write(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    migrate(path);
    struct err err = {0};
    scoped_db db = open_db(path, DB_READ_ONLY);
    assert_false(sqlite_exec(db_handle(db), "DELETE FROM job", &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
}

static void
a_file_that_is_no_database_is_refused(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    struct err err = {0};
    assert_true(
        fs_replace_file(AT_FDCWD, path, STR("this is not a database, by far"), 0600, &err));
    assert_null(db_open(path, DB_READ_ONLY, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
}

static void
a_transaction_rolls_back_unless_committed(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    migrate(path);
    struct err err = {0};
    scoped_db db = open_db(path, DB_WRITER);
    const char *insert = "INSERT INTO dataset (name, is_public, created_at, updated_at)"
                         " VALUES ('games', 1, 0, 0)";
    {
        scoped_tx tx = {0};
        assert_true(db_begin(db, &tx, &err));
        assert_true(sqlite_exec(db_handle(db), insert, &err));
    }
    int64_t count = -1;
    assert_true(sqlite_read_i64(db_handle(db), "SELECT count(*) FROM dataset", &count, &err));
    assert_int_equal(count, 0);
    scoped_tx tx = {0};
    assert_true(db_begin(db, &tx, &err) && db_savepoint(db, &err));
    assert_true(sqlite_exec(db_handle(db), insert, &err) && db_release(db, &err));
    assert_true(db_savepoint(db, &err));
    assert_false(sqlite_exec(db_handle(db), insert, &err)); /* the name is taken */
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_true(db_rollback_to(db, &err) && db_commit(&tx, &err));
    assert_true(sqlite_read_i64(db_handle(db), "SELECT count(*) FROM dataset", &count, &err));
    assert_int_equal(count, 1);
}

static void
a_deadline_interrupts_a_query(void **state)
{
    struct temp_dir *dir = *state;
    const char *path = temp_path(dir, "playmeter.db");
    migrate(path);
    struct err err = {0};
    scoped_db db = open_db(path, DB_READ_ONLY);
    int64_t count;
    const char *endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                          " SELECT count(*) FROM n";
    db_set_deadline(db, 1); /* long past */
    assert_false(sqlite_read_i64(db_handle(db), endless, &count, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_string_equal(err_code(&err), "deadline");
    db_set_deadline(db, 0);
    assert_true(sqlite_read_i64(db_handle(db), "SELECT count(*) FROM job", &count, &err));
}

static void
wire_round_trip_is_identity(void **state UNUSED)
{
    scoped_buf b;
    buf_init(&b, 1 * KIB);
    wire_add_u64(&b, UINT64_MAX);
    wire_add_str(&b, STR(""));
    wire_add_str(&b, STR("a\0b"));
    wire_add_u64(&b, 0);
    struct wire w = {.rest = buf_str(&b)};
    struct err err = {0};
    assert_true(wire_u64(&w) == UINT64_MAX);
    assert_int_equal(wire_str(&w).n, 0);
    assert_true(str_eq(wire_str(&w), STR("a\0b")));
    assert_false(wire_end(&w, &err)); /* eight bytes are left */
    assert_true(wire_u64(&w) == 0);
    assert_true(wire_end(&w, &err));
}

static void
wire_that_ends_early_yields_zeros(void **state UNUSED)
{
    struct err err = {0};
    struct wire cut = {.rest = STR("\x05\0\0\0abcd")};
    assert_int_equal(wire_str(&cut).n, 0);
    assert_true(wire_u64(&cut) == 0);
    assert_false(wire_end(&cut, &err));
    struct wire huge = {.rest = STR("\xff\xff\xff\xff")};
    assert_int_equal(wire_str(&huge).n, 0);
    assert_false(wire_end(&huge, &err));
    struct wire empty = {0};
    assert_true(wire_u64(&empty) == 0);
    assert_false(wire_end(&empty, &err));
}

static void
messages_round_trip(void **state UNUSED)
{
    scoped_buf b;
    buf_init(&b, MESSAGE_BYTES_MAX + MESSAGE_HEADER_BYTES);
    struct err err = {0}, why;
    err_set_name(&why, ERR_CONFLICT, "base_changed", STR("games"), "version 3 is current");
    assert_true(message_add_request(&b, "job_claim", STR("x\0y"), &err));
    message_add_refused(&b, &why);
    message_add_done(&b, STR("fine"));
    message_add_moved(&b);
    struct str rest = buf_str(&b), body;
    struct message_request request;
    struct message_reply reply;
    assert_int_equal(message_cut(&rest, &body, &err), 1);
    assert_true(message_read_request(body, &request, &err));
    assert_true(str_eq(request.operation, STR("job_claim")));
    assert_true(str_eq(request.request, STR("x\0y")));
    assert_int_equal(message_cut(&rest, &body, &err), 1);
    assert_true(message_read_reply(body, &reply, &err));
    assert_int_equal(reply.outcome, MESSAGE_REFUSED);
    assert_int_equal(reply.refusal.kind, ERR_CONFLICT);
    assert_string_equal(reply.refusal.code, why.code);
    assert_string_equal(reply.refusal.name, why.name);
    assert_string_equal(reply.refusal.detail, why.detail);
    assert_int_equal(message_cut(&rest, &body, &err), 1);
    assert_true(message_read_reply(body, &reply, &err) && str_eq(reply.reply, STR("fine")));
    assert_int_equal(message_cut(&rest, &body, &err), 1);
    assert_true(message_read_reply(body, &reply, &err));
    assert_int_equal(reply.outcome, MESSAGE_MOVED);
    assert_int_equal(message_cut(&rest, &body, &err), 0);
}

static void
a_hostile_frame_is_refused(void **state UNUSED)
{
    struct err err = {0};
    struct str body, zero = STR("\0\0\0\0"), huge = STR("\xff\xff\xff\xff"),
                     half = STR("\x09\0\0\0abc"),
                     unknown_kind = STR("\2\0\0\0\0\0\0\0"
                                        "\x63\0\0\0\0\0\0\0"
                                        "\0\0\0\0\0\0\0\0\0\0\0\0");
    struct message_reply reply;
    assert_int_equal(message_cut(&zero, &body, &err), -1);
    assert_int_equal(message_cut(&huge, &body, &err), -1);
    assert_int_equal(message_cut(&half, &body, &err), 0);
    assert_false(message_read_reply(unknown_kind, &reply, &err));
    scoped_buf b;
    buf_init(&b, MESSAGE_BYTES_MAX + MESSAGE_HEADER_BYTES);
    static const char large[MESSAGE_BYTES_MAX];
    assert_false(message_add_request(&b, "x", (struct str){large, sizeof(large)}, &err));
    assert_int_equal(err.kind, ERR_TOO_LARGE);
    assert_int_equal(b.n, 0);
}

static const struct rows_column ALL_TYPES[] = {
    {STR_INIT("about"), COLUMN_TEXT, 100000},  {STR_INIT("rowid"), COLUMN_INTEGER, 0},
    {STR_INIT("price"), COLUMN_REAL, 0},       {STR_INIT("name"), COLUMN_TEXT, 10},
    {STR_INIT("is_free"), COLUMN_BOOLEAN, 0},  {STR_INIT("released"), COLUMN_DATE, 0},
    {STR_INIT("seen_at"), COLUMN_DATETIME, 0}, {STR_INIT("tags"), COLUMN_LIST, 50},
};

static struct rows_builder *
begin_rows(const char *path, const struct rows_column *columns, size_t count)
{
    struct err err = {0};
    struct rows_builder *b = rows_build_begin(path, columns, count, &err);
    if (!b)
        fail_msg("%s", err.detail);
    return b;
}

static void
rows_round_trip_every_type(void **state)
{
    const char *path = temp_path(*state, "a?b#c%d.db");
    struct err err = {0};
    scoped_arena a = {0};
    char *about = arena_alloc(&a, 100 * KIB);
    memset(about, 'x', 100 * KIB);
    const struct value first[] = {{.text = {about, 100 * KIB}},
                                  {.i = INT64_MIN},
                                  {.d = 0.1},
                                  {.text = STR("a\0\"'é")},
                                  {.i = 1},
                                  {.i = -719162},
                                  {.i = 1769846400250},
                                  {.text = STR("['English', 'French']")}};
    const struct value second[] = {{.text = {0}},     {.is_null = true}, {.is_null = true},
                                   {.text = {0}},     {.is_null = true}, {.is_null = true},
                                   {.is_null = true}, {.text = {0}}};
    size_t count = COUNT_OF(ALL_TYPES);
    struct rows_builder *b = begin_rows(path, ALL_TYPES, count);
    assert_true(rows_build_add(b, first, 0, &err) && rows_build_add(b, second, 0, &err));
    assert_true(rows_build_finish(&b, &err));

    struct rows *rows = rows_open(path, ALL_TYPES, count, &err);
    assert_non_null(rows);
    const size_t wanted[] = {0, 1, 2, 3, 4, 5, 6, 7}, two[] = {3, 1};
    struct value got[COUNT_OF(wanted)];
    assert_int_equal(rows_get(rows, 1, wanted, count, got, &err), 1);
    for (size_t i = 0; i < count; i++) {
        assert_false(got[i].is_null);
        assert_true(str_eq(got[i].text, first[i].text));
        assert_true(got[i].i == first[i].i);
    }
    assert_int_equal(rows_get(rows, 2, wanted, count, got, &err), 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(got[i].is_null, second[i].is_null);
        assert_int_equal(got[i].text.n, 0);
    }
    assert_int_equal(rows_get(rows, 1, two, 2, got, &err), 1);
    assert_true(str_eq(got[0].text, first[3].text) && got[1].i == INT64_MIN);
    assert_int_equal(rows_get(rows, 2, NULL, 0, got, &err), 1);
    assert_int_equal(rows_get(rows, 3, two, 2, got, &err), 0);
    assert_int_equal(rows_get(rows, 0, two, 2, got, &err), 0);
    assert_int_equal(rows_get(rows, UINT64_MAX, two, 2, got, &err), 0);
    rows_close(&rows);
}

/* More sets of fields than are kept, over and over. */
static void
rows_keep_no_stale_field_set(void **state)
{
    const char *path = temp_path(*state, "rows.db");
    struct err err = {0};
    struct rows_column columns[12];
    char names[12][8];
    struct value row[12] = {0}, got[12];
    for (size_t i = 0; i < 12; i++) {
        snprintf(names[i], sizeof(names[i]), "c%zu", i);
        columns[i] = (struct rows_column){str_from(names[i]), COLUMN_INTEGER, 0};
        row[i].i = (int64_t)i * 100;
    }
    struct rows_builder *b = begin_rows(path, columns, 12);
    assert_true(rows_build_add(b, row, 0, &err) && rows_build_finish(&b, &err));
    struct rows *rows = rows_open(path, columns, 12, &err);
    assert_non_null(rows);
    for (size_t i = 0; i < 500; i++) {
        size_t wanted[2] = {i * 7 % 12, i * 5 % 11};
        assert_int_equal(rows_get(rows, 1, wanted, 1 + i % 2, got, &err), 1);
        assert_true(got[0].i == row[wanted[0]].i);
        if (i % 2)
            assert_true(got[1].i == row[wanted[1]].i);
    }
    rows_close(&rows);
}

#define WIDE 2000

static void
rows_hold_two_thousand_columns(void **state)
{
    const char *path = temp_path(*state, "rows.db");
    struct err err = {0};
    static struct rows_column columns[WIDE];
    static char names[WIDE][16];
    static struct value row[WIDE], got[WIDE];
    static size_t wanted[WIDE];
    for (size_t i = 0; i < WIDE; i++) {
        snprintf(names[i], sizeof(names[i]), "column_%zu", i);
        columns[i] =
            (struct rows_column){str_from(names[i]), i % 3 ? COLUMN_DATE : COLUMN_TEXT, 10};
        row[i].i = (int64_t)i;
        row[i].text = i % 3 ? (struct str){0} : str_from(names[i]);
        wanted[i] = WIDE - 1 - i;
    }
    struct rows_builder *b = begin_rows(path, columns, WIDE);
    assert_true(rows_build_add(b, row, 0, &err) && rows_build_finish(&b, &err));
    struct rows *rows = rows_open(path, columns, WIDE, &err);
    assert_non_null(rows);
    assert_int_equal(rows_get(rows, 1, wanted, WIDE, got, &err), 1);
    for (size_t i = 0; i < WIDE; i++) {
        const struct value *expected = &row[wanted[i]];
        assert_true(str_eq(got[i].text, expected->text));
        assert_true(wanted[i] % 3 == 0 || got[i].i == expected->i);
    }
    rows_close(&rows);
}

static void
rows_never_replace_a_file(void **state)
{
    const char *path = temp_path(*state, "rows.db");
    struct err err = {0};
    struct rows_builder *b = begin_rows(path, ALL_TYPES, 1);
    assert_null(rows_build_begin(path, ALL_TYPES, 1, &err));
    rows_build_cancel(&b);
    assert_null(b);
    assert_null(rows_open(temp_path(*state, "absent.db"), ALL_TYPES, 1, &err));
}

static void
numbers_and_short_text_stand_first(void **state)
{
    const char *path = temp_path(*state, "rows.db");
    struct err err = {0};
    struct rows_builder *b = begin_rows(path, ALL_TYPES, COUNT_OF(ALL_TYPES));
    assert_true(rows_build_finish(&b, &err));
    sqlite3 *handle = sqlite_open(path, SQLITE_OPEN_READONLY, &err);
    int64_t name, about, price, page_size;
    const char *where = "SELECT cid FROM pragma_table_info('rows') WHERE name = ";
    scoped_arena a = {0};
    assert_true(sqlite_read_i64(handle, arena_printf(&a, "%s'name'", where).p, &name, &err));
    assert_true(sqlite_read_i64(handle, arena_printf(&a, "%s'about'", where).p, &about, &err));
    assert_true(sqlite_read_i64(handle, arena_printf(&a, "%s'price'", where).p, &price, &err));
    assert_true(sqlite_read_i64(handle, "PRAGMA page_size", &page_size, &err));
    assert_true(price < name && name < about);
    assert_int_equal(about, COUNT_OF(ALL_TYPES) - 1);
    assert_int_equal(page_size, 16384);
    sqlite3_close_v2(handle);
}

/* Tables that grow for as long as the service is used. */
static const char *const GROWING[] = {
    "player", "session", "session_used_refresh", "login_failure",      "ledger_entry",
    "event",  "job",     "idempotency",          "player_event_count",
};
/* Who may walk one of them, and why it does no harm. */
static const struct {
    const char *name, *why;
} WALKERS[] = {
    {"event_newest", "one row"},
    {"event_type_add", "for its foreign key, and only while one is violated (OP_FkIfZero)"},
    {"ledger_insert", "the same"},
    {"ledger_entries", "verify-ledger"},
    {"ledger_newest_player_ids", "a sample, from its newest end"},
    {"ledger_player_count", "verify-ledger"},
    {"login_failure_trim", "bounded by THROTTLE_ROWS_MAX"},
};

static bool
may_walk(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(WALKERS); i++)
        if (str_eq(name, str_from(WALKERS[i].name)))
            return true;
    return false;
}

static bool
is_walk_of_growing(struct str step)
{
    if (!str_starts(step, STR("SCAN ")))
        return false;
    struct str rest = str_skip(step, 5), table = str_cut(&rest, ' ');
    for (size_t i = 0; i < COUNT_OF(GROWING); i++)
        if (str_eq(table, str_from(GROWING[i])))
            return true;
    return false;
}

static void
check_plan(struct db *db, const struct stmt *stmt)
{
    sqlite3_stmt *plan;
    scoped_buf sql;
    buf_init(&sql, 64 * KIB);
    buf_printf(&sql, "EXPLAIN QUERY PLAN %s", sqlite3_sql(stmt->handle));
    assert_int_equal(sqlite3_prepare_v2(db->handle, sql.p, (int)sql.n, &plan, NULL), SQLITE_OK);
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        if (is_walk_of_growing(str_from(step)) && !may_walk(stmt->name))
            fail_msg("%" STR_FMT ": %s", STR_ARG(stmt->name), step);
    }
    sqlite3_finalize(plan);
}

static void
no_statement_walks_a_table_that_grows(void **state)
{
    const char *path = temp_path(*state, "playmeter.db");
    migrate(path);
    scoped_db db = open_db(path, DB_WRITER);
    for (size_t i = 0; i < db->stmt_count; i++)
        check_plan(db, &db->stmts[i]);
}

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, temp_set_up, temp_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(migrations_run_once),
        STORE_TEST(a_database_without_migrations_is_refused),
        STORE_TEST(a_database_of_a_newer_program_is_refused),
        STORE_TEST(a_database_of_other_migration_texts_is_refused),
        STORE_TEST(a_reader_cannot_write),
        STORE_TEST(a_file_that_is_no_database_is_refused),
        STORE_TEST(a_transaction_rolls_back_unless_committed),
        STORE_TEST(a_deadline_interrupts_a_query),
        STORE_TEST(no_statement_walks_a_table_that_grows),
        cmocka_unit_test(wire_round_trip_is_identity),
        cmocka_unit_test(wire_that_ends_early_yields_zeros),
        cmocka_unit_test(messages_round_trip),
        cmocka_unit_test(a_hostile_frame_is_refused),
        STORE_TEST(rows_round_trip_every_type),
        STORE_TEST(rows_keep_no_stale_field_set),
        STORE_TEST(rows_hold_two_thousand_columns),
        STORE_TEST(rows_never_replace_a_file),
        STORE_TEST(numbers_and_short_text_stand_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
