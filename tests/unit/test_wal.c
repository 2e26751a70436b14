/* The log of the writer: what is in it is there whole once a commit counts, and not at all
 * when it does not. */
#include "store/db.h"
#include "temp_db.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Pages are written before the end of a transaction, as those of a migration may be. */
#define LET_SPILL "PRAGMA cache_spill = ON; PRAGMA cache_size = 10"

/* Some hundred pages. */
#define INSERT_MANY                                                                            \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"           \
    " INSERT INTO event_type (name) SELECT hex(randomblob(400)) FROM n"

static int64_t
read_number(struct db *db, const char *sql)
{
    struct err err = {0};
    int64_t n = -1;
    if (!sqlite_read_i64(db_handle(db), sql, &n, &err))
        fail_msg("%s", err.detail);
    return n;
}

static int64_t
count_rows(struct db *db)
{
    return read_number(db, "SELECT count(*) FROM event_type");
}

static struct db *
open_reader(struct temp_db *t)
{
    struct err err = {0};
    struct db *reader = db_open(db_path(t->db), DB_READ_ONLY, &err);
    if (!reader)
        fail_msg("%s", err.detail);
    return reader;
}

static void
assert_is_whole(struct db *db, int64_t rows)
{
    assert_int_equal(count_rows(db), rows);
    assert_int_equal(read_number(db, "SELECT count(*) FROM pragma_integrity_check"
                                     " WHERE integrity_check <> 'ok'"),
                     0);
}

/* With so small a cache its pages are written, read again and written over before its end. */
static void
a_large_transaction_is_seen_whole_and_only_once_committed(void **state)
{
    struct temp_db *t = *state;
    scoped_db reader = open_reader(t);
    temp_db_exec(t, LET_SPILL);
    temp_db_exec(t, "BEGIN");
    temp_db_exec(t, INSERT_MANY);
    temp_db_exec(t, "UPDATE event_type SET event_count = 1");
    assert_int_equal(count_rows(reader), 0);
    temp_db_exec(t, "COMMIT");
    assert_is_whole(reader, 1000);
    assert_int_equal(read_number(reader, "SELECT sum(event_count) FROM event_type"), 1000);
    temp_db_exec(t, "BEGIN");
    temp_db_exec(t, INSERT_MANY);
    temp_db_exec(t, "ROLLBACK");
    assert_is_whole(reader, 1000);
}

static void
what_a_killed_process_has_committed_stays_and_nothing_else(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    pid_t pid = fork();
    if (pid == 0) {
        t->db = db_open(db_path(t->db), DB_WRITER, &err);
        temp_db_exec(t, INSERT_MANY);
        temp_db_exec(t, LET_SPILL);
        temp_db_exec(t, "BEGIN");
        temp_db_exec(t, INSERT_MANY);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    scoped_db reader = open_reader(t);
    assert_is_whole(reader, 1000);
    temp_db_exec(t, INSERT_MANY);
    assert_is_whole(reader, 2000);
}

static void
limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_write_that_fails_fails_its_commit_and_the_next_is_whole(void **state)
{
    struct temp_db *t = *state;
    scoped_db reader = open_reader(t);
    temp_db_exec(t, "INSERT INTO event_type (name) VALUES ('first')");
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(sqlite3_exec(db_handle(t->db), "BEGIN;" INSERT_MANY, NULL, NULL, NULL),
                     SQLITE_OK);
    limit_files(64 * KIB);
    int rc = sqlite3_exec(db_handle(t->db), "COMMIT", NULL, NULL, NULL);
    limit_files(RLIM_INFINITY);
    assert_int_not_equal(rc, SQLITE_OK);
    if (db_is_in_transaction(t->db))
        temp_db_exec(t, "ROLLBACK");
    assert_is_whole(reader, 1);
    temp_db_exec(t, INSERT_MANY);
    assert_is_whole(reader, 1001);
}

static void
pages_of_operations_are_not_written_before_the_commit(void **state)
{
    struct temp_db *t = *state;
    struct stat before, after;
    const char *log = arena_printf(&t->arena, "%s-wal", db_path(t->db)).p;
    temp_db_exec(t, "PRAGMA cache_size = 10");
    assert_int_equal(stat(log, &before), 0);
    temp_db_exec(t, "BEGIN");
    temp_db_exec(t, INSERT_MANY);
    assert_int_equal(stat(log, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    temp_db_exec(t, "COMMIT");
    assert_is_whole(t->db, 1000);
}

static void
copy_file(struct temp_db *t, const char *from, const char *to)
{
    struct err err = {0};
    scoped_buf bytes;
    buf_init(&bytes, 16 * MIB);
    assert_true(fs_read_file(&bytes, AT_FDCWD, from, &err));
    assert_true(fs_replace_file(AT_FDCWD, temp_path(t->dir, to), buf_str(&bytes), 0600, &err));
}

/* `file` and `log` as they would be found after a crash. */
static bool
is_own(struct temp_db *t, const char *file, const char *log)
{
    struct err err = {0};
    bool answer = false;
    copy_file(t, temp_path(t->dir, file), "found.db");
    copy_file(t, temp_path(t->dir, log), "found.db-wal");
    scoped_db db = db_open(temp_path(t->dir, "found.db"), DB_MIGRATE, &err);
    if (!db || !db_log_is_its_own(db, &answer, &err))
        fail_msg("%s", err.detail);
    return answer;
}

#define INSERT_ONE "INSERT INTO event_type (name) VALUES (hex(randomblob(9)))"

static void
a_log_beside_an_older_copy_is_found_out(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    const char *file = "playmeter.db", *log = "playmeter.db-wal";
    temp_db_exec(t, INSERT_ONE);
    assert_true(is_own(t, file, log));
    copy_file(t, db_path(t->db), "older.db");
    /* All of it is still in the log. */
    temp_db_exec(t, INSERT_ONE);
    assert_true(is_own(t, "older.db", log) && is_own(t, file, log));
    assert_true(db_checkpoint(t->db, false, &err));
    temp_db_exec(t, INSERT_ONE);
    assert_false(is_own(t, "older.db", log));
    assert_true(is_own(t, file, log));
    copy_file(t, db_path(t->db), "older.db");
    /* A reader keeps the checkpoint from its end, and the log from beginning anew. */
    scoped_db reader = open_reader(t);
    {
        scoped_tx tx = {0};
        assert_true(db_begin_snapshot(reader, &tx, &err));
        (void)count_rows(reader);
        temp_db_exec(t, INSERT_ONE);
        assert_true(db_checkpoint(t->db, false, &err));
        temp_db_exec(t, INSERT_ONE);
        assert_true(is_own(t, "older.db", log) && is_own(t, file, log));
    }
    assert_true(db_checkpoint(t->db, true, &err));
    temp_db_exec(t, INSERT_ONE);
    assert_false(is_own(t, "older.db", log));
    assert_true(is_own(t, file, log));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(a_large_transaction_is_seen_whole_and_only_once_committed),
        DB_TEST(what_a_killed_process_has_committed_stays_and_nothing_else),
        DB_TEST(a_write_that_fails_fails_its_commit_and_the_next_is_whole),
        DB_TEST(pages_of_operations_are_not_written_before_the_commit),
        DB_TEST(a_log_beside_an_older_copy_is_found_out),
    };
    return cmocka_run_group_tests_name("wal_buffer", tests, NULL, NULL);
}
