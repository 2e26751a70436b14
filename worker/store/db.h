/* A SQLite connection and the named statements it runs.  This folder is the only user of
 * SQLite.
 *
 * Statements are in store/queries/ *.sql, one file per subject, each statement after a line
 * `-- name: job_claim` with a comment on its result.  All of them are prepared when
 * playmeter.db is opened, so that a typo stops the program at start.  Values are bound, never
 * pasted. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct db; /* made by db_open */
struct sqlite3;

enum db_mode {
    DB_READ_ONLY, /* query_only; for api workers; only the statements that change nothing */
    DB_WRITER,    /* WAL, synchronous=FULL, foreign keys, no automatic checkpoint */
    DB_MIGRATE,   /* as DB_WRITER, with no statement prepared */
};
/* Opens playmeter.db; only DB_MIGRATE creates it.  Fails with code schema_version when the
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
/* Runs the missing migrations, each in a transaction.  Fails with code schema_version when the
 * file is newer than the binary, or was migrated by texts other than the binary's. */
MUST_CHECK bool db_migrate(struct db *db, int *applied_count, struct err *err);

/* What can be read of a file whatever its migrations are. */
#define DB_DIRECTORY_ID_DIGITS 32
struct db_identity {
    int64_t schema;        /* number of migrations that ran; 0: the file is empty */
    int64_t catalogue_seq; /* publications and rollbacks so far */
    /* Of its data directory; "" when the file is older than these ids. */
    char directory_id[DB_DIRECTORY_ID_DIGITS + 1];
};
MUST_CHECK bool db_read_identity(struct db *db, struct db_identity *out, struct err *err);
/* Sets `*is_own` to false when the write-ahead log beside the file belongs to another copy of
 * the file, in which case reads would show a mixture of both. */
MUST_CHECK bool db_log_is_its_own(struct db *db, bool *is_own, struct err *err);
/* For a DB_WRITER, once the file is known to be the right one: checkpoints the log into it, now
 * and when it is closed.  Without this call, closing leaves file and log as they are. */
void db_take_log(struct db *db);

/* A transaction, which is rolled back unless db_commit was called:
 * `scoped_tx tx = {0}; if (!db_begin(...))`. */
struct db_tx {
    struct db *db;
};
MUST_CHECK bool db_begin(struct db *db, struct db_tx *tx,
                         struct err *err); /* BEGIN IMMEDIATE */
/* Begins a transaction in which several SELECTs see one state; it ends by rolling back. */
MUST_CHECK bool db_begin_snapshot(struct db *db, struct db_tx *tx, struct err *err);
/* Rolls back when it fails. */
MUST_CHECK bool db_commit(struct db_tx *tx, struct err *err);
/* Has `follow` run once, after the commit of the open transaction and before db_commit returns;
 * a rollback drops it.  Its failure does not fail the commit, and a killed process may skip it:
 * the next process that opens the database must make up for that. */
typedef bool db_follow_fn(struct db *db, struct err *err);
void db_follow_commit(struct db *db, db_follow_fn *follow);
/* The failure of `follow` after the last commit; ERR_NONE when there was none. */
struct err db_follow_error(const struct db *db);
void db_rollback(struct db_tx *tx);
#define scoped_tx SCOPED(db_rollback) struct db_tx

/* One use of a statement.  The scoped form resets it.
 *     scoped_stmt s = db_stmt(db, "job_get");
 *     stmt_bind_str(s, 1, id);
 *     int got = stmt_step(s, err);          1 row, 0 end, -1 error
 * Asserts that the name exists and that the statement is not in use already.  A failed bind is
 * reported by the next step.  Bound text is not copied and must stay valid until stmt_done.
 * Text columns point into SQLite and are valid until the next step; copy them with arena_str.
 * A NULL column reads as 0 or empty. */
struct stmt;
struct stmt *db_stmt(struct db *db, const char *name);
void stmt_done(struct stmt **s);
#define scoped_stmt SCOPED(stmt_done) struct stmt *
void stmt_bind_str(struct stmt *s, int index, struct str text);
void stmt_bind_blob(struct stmt *s, int index, struct str bytes);
void stmt_bind_i64(struct stmt *s, int index, int64_t v);
MUST_CHECK int stmt_step(struct stmt *s, struct err *err);
MUST_CHECK bool stmt_run(struct stmt *s, struct err *err); /* to its end, rows ignored */
/* The integer in the first row; 0 when there is no row. */
MUST_CHECK bool stmt_run_i64(struct stmt *s, int64_t *out, struct err *err);
struct str stmt_str(struct stmt *s, int column);
struct str stmt_blob(struct stmt *s, int column); /* valid as long as text */
int64_t stmt_i64(struct stmt *s, int column);
bool stmt_is_null(struct stmt *s, int column);

/* For the writer's loop: a savepoint holds one operation inside the transaction.  It is
 * released when the operation succeeds, and rolled back alone when it fails. */
MUST_CHECK bool db_savepoint(struct db *db, struct err *err);
MUST_CHECK bool db_release(struct db *db, struct err *err);
MUST_CHECK bool db_rollback_to(struct db *db, struct err *err); /* and releases it */
/* False after SQLite rolled the whole transaction back by itself (disk full, I/O error). */
bool db_is_in_transaction(struct db *db);
int64_t db_total_changes(struct db *db); /* rows changed since the database was opened */
int db_wal_pages(struct db *db);         /* in the log after this connection's last commit */
/* Copies the log into the database without waiting for readers.  With `truncates`, also empties
 * the log, if no reader uses it.  False: a reader was in the way, or the disk failed. */
MUST_CHECK bool db_checkpoint(struct db *db, bool truncates, struct err *err);
