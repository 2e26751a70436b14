/* A SQLite connection and the named statements it runs.  This folder is the only user of
 * SQLite.
 *
 * Statements live in store/queries/ *.sql, one file per subject, each statement under a line
 * `-- name: job_claim` with a comment on its result; all of them are prepared when playmeter.db
 * is opened, so that a typo stops the program at start.  Values are bound, never pasted. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct db; /* made by db_open */
struct sqlite3;

enum db_mode {
    DB_READ_ONLY, /* query_only; for api workers; has the statements that change nothing */
    DB_WRITER,    /* WAL, synchronous=FULL, foreign keys, no automatic checkpoint */
    DB_MIGRATE,   /* as DB_WRITER, with no statement prepared */
};
/* Opens playmeter.db, and makes it only in DB_MIGRATE.  Fails with code schema_version when the
 * file's migrations are not the binary's (not in DB_MIGRATE). */
MUST_CHECK struct db *db_open(const char *path, enum db_mode mode, struct err *err);
void db_close(struct db **db); /* accepts a pointer to NULL */
#define scoped_db SCOPED(db_close) struct db *
struct sqlite3 *db_handle(struct db *db);
const char *db_path(struct db *db); /* as given to db_open; its folder is the data directory */
/* Something of its user's that belongs to the database, for operations, which get nothing else;
 * never NULL when asked for. */
void db_set_context(struct db *db, const void *context);
const void *db_context(struct db *db);
/* From `steady_us` on (clock_steady_us) running statements are interrupted and fail with busy,
 * code deadline; 0 for none.  Only for DB_READ_ONLY: an interrupted operation would roll back
 * the whole transaction of the writer. */
void db_set_deadline(struct db *db, uint64_t steady_us);
/* Runs the migrations that are missing, each in a transaction.  Fails with code schema_version
 * when the file is newer than the binary, or was migrated by other texts than the binary's. */
MUST_CHECK bool db_migrate(struct db *db, int *applied_count, struct err *err);

/* What a file says of itself whatever its migrations are. */
#define DB_DIRECTORY_ID_DIGITS 32
struct db_identity {
    int64_t schema;        /* migrations that ran; 0: it is empty */
    int64_t catalogue_seq; /* publications and rollbacks so far */
    /* Of its data directory; "" where it is of before there were any. */
    char directory_id[DB_DIRECTORY_ID_DIGITS + 1];
};
MUST_CHECK bool db_read_identity(struct db *db, struct db_identity *out, struct err *err);
/* False in `is_own` when the write-ahead log beside the file is another copy's, and what is
 * read is a mixture of both. */
MUST_CHECK bool db_log_is_its_own(struct db *db, bool *is_own, struct err *err);
/* For a DB_WRITER, once the file is known to be the right one: the log goes into it, now and at
 * the close.  Before, a close leaves both as they are. */
void db_take_log(struct db *db);

/* A transaction rolls back unless it was committed: `scoped_tx tx = {0}; if (!db_begin(...))`.
 */
struct db_tx {
    struct db *db;
};
MUST_CHECK bool db_begin(struct db *db, struct db_tx *tx,
                         struct err *err); /* BEGIN IMMEDIATE */
/* Several statements that see one state of the database, ended by rolling back. */
MUST_CHECK bool db_begin_snapshot(struct db *db, struct db_tx *tx, struct err *err);
MUST_CHECK bool db_commit(struct db_tx *tx, struct err *err);
/* Has `follow` run once after the commit of the transaction that is open, before db_commit
 * returns; a rollback forgets it.  What it fails at fails no commit, and may be left out by a
 * kill: whoever opens the database next makes up for it. */
typedef bool db_follow_fn(struct db *db, struct err *err);
void db_follow_commit(struct db *db, db_follow_fn *follow);
/* What it failed at after the last commit; ERR_NONE: nothing. */
struct err db_follow_error(const struct db *db);
void db_rollback(struct db_tx *tx);
#define scoped_tx SCOPED(db_rollback) struct db_tx

/* One use of a statement.  The SCOPED form resets it.
 *     scoped_stmt s = db_stmt(db, "job_get");
 *     stmt_bind_str(s, 1, id);
 *     int got = stmt_step(s, err);          1 row, 0 end, -1 error
 * A name that does not exist is our own mistake and asserts, and so is a second use of a
 * statement before the first is done.  Bound text is not copied: it stays valid until
 * stmt_done.  Text columns point into SQLite and are valid until the next step; copy with
 * arena_str.  A NULL column reads as 0 or empty. */
struct stmt;
struct stmt *db_stmt(struct db *db, const char *name);
void stmt_done(struct stmt **s);
#define scoped_stmt SCOPED(stmt_done) struct stmt *
void stmt_bind_str(struct stmt *s, int index, struct str text);
void stmt_bind_blob(struct stmt *s, int index, struct str bytes);
void stmt_bind_i64(struct stmt *s, int index, int64_t v);
MUST_CHECK int stmt_step(struct stmt *s, struct err *err);
MUST_CHECK bool stmt_run(struct stmt *s, struct err *err); /* to its end, rows ignored */
/* The integer of the first row; 0 where there is none. */
MUST_CHECK bool stmt_run_i64(struct stmt *s, int64_t *out, struct err *err);
struct str stmt_str(struct stmt *s, int column);
struct str stmt_blob(struct stmt *s, int column); /* valid as long as text */
int64_t stmt_i64(struct stmt *s, int column);
bool stmt_is_null(struct stmt *s, int column);

/* For the writer's loop.  A savepoint is one operation inside the transaction: released when it
 * succeeds, rolled back alone when it fails. */
MUST_CHECK bool db_savepoint(struct db *db, struct err *err);
MUST_CHECK bool db_release(struct db *db, struct err *err);
MUST_CHECK bool db_rollback_to(struct db *db, struct err *err); /* and releases it */
/* False after SQLite rolled the whole transaction back by itself (disk full, I/O error). */
bool db_is_in_transaction(struct db *db);
int64_t db_total_changes(struct db *db); /* rows changed since the database was opened */
int db_wal_pages(struct db *db);         /* in the log after this connection's last commit */
/* Copies the log into the database without waiting for anybody.  With truncates, also empties
 * the log when no reader stands in it.  False: a reader was in the way or the disk failed. */
MUST_CHECK bool db_checkpoint(struct db *db, bool truncates, struct err *err);
