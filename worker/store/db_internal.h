/* What the files of this folder share of a connection; private to it. */
#pragma once

#include "base/embed.h"
#include "store/db.h"
#include "store/sqlite.h"

extern const struct embed_file EMBED_QUERIES[]; /* queries/ */
extern const size_t EMBED_QUERIES_COUNT;
extern const struct embed_file EMBED_MIGRATIONS[]; /* migrations/ */
extern const size_t EMBED_MIGRATIONS_COUNT;

/* Transaction control, prepared on first use: the writer runs them for every operation. */
enum db_control {
    CONTROL_BEGIN,
    CONTROL_BEGIN_SNAPSHOT,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_SAVEPOINT,
    CONTROL_RELEASE,
    CONTROL_ROLLBACK_TO,
    CONTROL_COUNT
};

struct stmt {
    struct str name; /* in the embedded file */
    sqlite3_stmt *handle;
    sqlite3 *db;
    int bind_rc; /* the first bind that failed, reported by the next step */
    bool is_in_use;
};

struct db {
    sqlite3 *handle;
    struct arena arena; /* path and stmts */
    const char *path;
    struct stmt *stmts; /* by name */
    size_t stmt_count;
    sqlite3_stmt *control[CONTROL_COUNT];
    const void *context;  /* its user's */
    uint64_t deadline_us; /* on the steady clock; 0: none */
    int wal_pages;        /* in the log after the last commit of this connection */
    db_follow_fn *follow; /* to run after the open transaction's commit; NULL: none */
    struct err follow_error;
};

/* Prepares every statement of the embedded files; a reader keeps only those that read. */
MUST_CHECK bool stmt_prepare_all(struct db *db, bool is_reader, struct err *err);
void stmt_finalize_all(struct db *db);
/* Fails with code schema_version unless the file has exactly the binary's migrations. */
MUST_CHECK bool migrate_check(struct db *db, struct err *err);
/* Marks a checkpoint (see log_mark.c); called after it, before anything else is written.
 * `is_complete`: the checkpoint copied the whole log. */
MUST_CHECK bool log_mark_step(struct db *db, bool is_complete, struct err *err);
/* Is it the digest of an earlier text of the migration, which was edited after release? */
bool migrate_is_earlier(int64_t number, const char *sha256);
/* Rewrites a file, of which `version` migrations ran, so that its tables are as the present
 * texts make them, rows included.  `is_earlier` has an entry per migration, from 1: those that
 * ran with an earlier text.  On failure the file is unchanged. */
MUST_CHECK bool migrate_rewrite_earlier(struct db *db, const bool *is_earlier, int64_t version,
                                        struct err *err);
/* Records that the present text of the migration made the schema. */
MUST_CHECK bool migrate_record_digest(struct db *db, int64_t number, struct err *err);
