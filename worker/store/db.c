/* One process writes playmeter.db, and only that process checkpoints: SQLite up to 3.51.2 can
 * lose a commit when a writer resets the log while another process checkpoints.  So automatic
 * checkpoints are off in every connection, and readers do not checkpoint when they close. */
#include "store/db_internal.h"

#include "base/clock.h"

/* Waits occur only during recovery after a crash, or while a person uses the sqlite3 shell. */
#define BUSY_TIMEOUT_MS 2000
/* SQLite instructions between two checks of the deadline: about 20 microseconds. */
#define DEADLINE_CHECK_STEPS 2000

static const char *const CONTROL_SQL[CONTROL_COUNT] = {
    [CONTROL_BEGIN] = "BEGIN IMMEDIATE",
    [CONTROL_COMMIT] = "COMMIT",
    [CONTROL_BEGIN_SNAPSHOT] = "BEGIN",
    [CONTROL_ROLLBACK] = "ROLLBACK",
    [CONTROL_SAVEPOINT] = "SAVEPOINT operation",
    [CONTROL_RELEASE] = "RELEASE operation",
    [CONTROL_ROLLBACK_TO] = "ROLLBACK TO operation",
};

/* No mmap_size: SQLite drops its map whenever another process has committed, and maps the file
 * again, which makes a player's request half as slow again as reading the pages. */
#define READER_SQL                                                                             \
    "PRAGMA query_only = 1;"                                                                   \
    "PRAGMA cache_size = -2048;"
/* Whatever the library's default is, deleted text is overwritten: URLs are secrets. */
#define WRITER_SQL                                                                             \
    "PRAGMA synchronous = FULL;"                                                               \
    "PRAGMA journal_mode = WAL;"                                                               \
    "PRAGMA foreign_keys = 1;"                                                                 \
    "PRAGMA cache_size = -16384;"                                                              \
    "PRAGMA temp_store = MEMORY;"                                                              \
    "PRAGMA secure_delete = 1;"
/* No cache spill: the log is written at the commit and not before, however large the
 * transaction.  Up to 3.46 at least, SQLite breaks the chain of the log's checksums when a
 * savepoint or a statement is undone after some of its pages were written, and recovery then
 * loses the commits that follow.  The changes of a transaction of operations fit into memory;
 * those of a migration need not. */
static const char *const MODE_SQL[] = {
    [DB_READ_ONLY] = READER_SQL,
    [DB_MIGRATE] = WRITER_SQL,
    [DB_WRITER] = WRITER_SQL "PRAGMA cache_spill = 0",
};

static int
note_wal_pages(void *db, sqlite3 *handle UNUSED, const char *name UNUSED, int pages)
{
    ((struct db *)db)->wal_pages = pages;
    return SQLITE_OK;
}

/* For a damaged file, the error says which file it is and what to do, not which SQL failed. */
static void
explain_damage(struct db *db, struct err *err)
{
    int rc = sqlite3_errcode(db->handle);
    if (rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB)
        err_set_code(err, ERR_INTERNAL, "database_damaged",
                     "%s is no whole database (%s); nothing was changed. Put the right one "
                     "back beside the -wal that lies there; without one, move it away and "
                     "run playmeter adopt",
                     db->path, sqlite3_errmsg(db->handle));
}

static bool
set_up(struct db *db, enum db_mode mode, struct err *err)
{
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* First, before anything can fail: a close would checkpoint the log into a damaged file and
     * delete the log, the only copy of the last acknowledged commits. */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    /* Replaces the automatic checkpoint, which is implemented as the same hook. */
    sqlite3_wal_hook(db->handle, note_wal_pages, db);
    if (!sqlite_exec(db->handle, MODE_SQL[mode], err))
        return false;
    return mode == DB_MIGRATE ||
           (migrate_check(db, err) && stmt_prepare_all(db, mode == DB_READ_ONLY, err));
}

struct db *
db_open(const char *path, enum db_mode mode, struct err *err)
{
    /* Read-write for readers too: a read-only connection cannot create the shared memory file.
     */
    int flags = SQLITE_OPEN_READWRITE | (mode == DB_MIGRATE ? SQLITE_OPEN_CREATE : 0);
    sqlite3 *handle = sqlite_open(path, flags, err);
    if (!handle)
        return NULL;
    struct arena arena = {0};
    struct db *db = arena_new(&arena, struct db);
    db->path = arena_cstr(&arena, str_from(path));
    db->handle = handle;
    db->arena = arena;
    if (!set_up(db, mode, err)) {
        explain_damage(db, err);
        db_close(&db);
    }
    return db;
}

void
db_close(struct db **db)
{
    if (!*db)
        return;
    stmt_finalize_all(*db);
    for (size_t i = 0; i < CONTROL_COUNT; i++)
        sqlite3_finalize((*db)->control[i]);
    sqlite3_close_v2((*db)->handle);
    /* The struct itself is in its arena. */
    struct arena arena = (*db)->arena;
    *db = NULL;
    arena_free(&arena);
}

struct sqlite3 *
db_handle(struct db *db)
{
    return db->handle;
}

const char *
db_path(struct db *db)
{
    return db->path;
}

void
db_set_context(struct db *db, const void *context)
{
    db->context = context;
}

const void *
db_context(struct db *db)
{
    assert(db->context);
    return db->context;
}

static int
is_past_deadline(void *db)
{
    return clock_steady_us() >= ((struct db *)db)->deadline_us;
}

void
db_set_deadline(struct db *db, uint64_t steady_us)
{
    db->deadline_us = steady_us;
    sqlite3_progress_handler(db->handle, DEADLINE_CHECK_STEPS,
                             steady_us ? is_past_deadline : NULL, db);
}

static bool
run_control(struct db *db, enum db_control which, struct err *err)
{
    sqlite3_stmt **stmt = &db->control[which];
    int rc = SQLITE_OK;
    if (!*stmt)
        rc = sqlite3_prepare_v3(db->handle, CONTROL_SQL[which], -1, SQLITE_PREPARE_PERSISTENT,
                                stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(*stmt);
    bool ok = rc == SQLITE_DONE || sqlite_fail(db->handle, rc, CONTROL_SQL[which], err);
    sqlite3_reset(*stmt);
    return ok;
}

static bool
begin(struct db *db, enum db_control how, struct db_tx *tx, struct err *err)
{
    if (!run_control(db, how, err))
        return false;
    tx->db = db;
    db->follow = NULL;
    db->follow_error = (struct err){0};
    return true;
}

bool
db_begin(struct db *db, struct db_tx *tx, struct err *err)
{
    return begin(db, CONTROL_BEGIN, tx, err);
}

bool
db_begin_snapshot(struct db *db, struct db_tx *tx, struct err *err)
{
    return begin(db, CONTROL_BEGIN_SNAPSHOT, tx, err);
}

bool
db_commit(struct db_tx *tx, struct err *err)
{
    if (!run_control(tx->db, CONTROL_COMMIT, err)) {
        db_rollback(tx);
        return false;
    }
    struct db *db = tx->db;
    tx->db = NULL;
    if (db->follow)
        (void)!db->follow(db, &db->follow_error);
    return true;
}

void
db_follow_commit(struct db *db, db_follow_fn *follow)
{
    db->follow = follow;
}

struct err
db_follow_error(const struct db *db)
{
    return db->follow_error;
}

void
db_rollback(struct db_tx *tx)
{
    struct err ignored;
    /* A failure is ignored: it means that SQLite rolled back already, and nothing is
     * committed. */
    if (tx->db && db_is_in_transaction(tx->db) &&
        !run_control(tx->db, CONTROL_ROLLBACK, &ignored))
        assert(!db_is_in_transaction(tx->db));
    tx->db = NULL;
}

bool
db_savepoint(struct db *db, struct err *err)
{
    return run_control(db, CONTROL_SAVEPOINT, err);
}

bool
db_release(struct db *db, struct err *err)
{
    return run_control(db, CONTROL_RELEASE, err);
}

bool
db_rollback_to(struct db *db, struct err *err)
{
    return run_control(db, CONTROL_ROLLBACK_TO, err) && run_control(db, CONTROL_RELEASE, err);
}

bool
db_is_in_transaction(struct db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

int64_t
db_total_changes(struct db *db)
{
    return sqlite3_total_changes64(db->handle);
}

void
db_take_log(struct db *db)
{
    struct err ignored;
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    /* After a complete checkpoint the next change restarts the log, so it has to be the mark,
     * which db_checkpoint writes.  A failure (a full disk) does not stop the writer; an older
     * copy of the file is then not detected. */
    (void)!db_checkpoint(db, false, &ignored);
}

int
db_wal_pages(struct db *db)
{
    return db->wal_pages;
}

bool
db_checkpoint(struct db *db, bool truncates, struct err *err)
{
    /* No waiting: a TRUNCATE that waits for a reader stalls every write (2 s measured). */
    sqlite3_busy_timeout(db->handle, 0);
    int mode = truncates ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
    int log_pages = 0, done_pages = 0;
    int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &log_pages, &done_pages);
    bool ok = rc == SQLITE_OK || sqlite_fail(db->handle, rc, "checkpoint", err);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    if (ok && truncates)
        db->wal_pages = 0;
    return ok && log_mark_step(db, log_pages == done_pages, err);
}
