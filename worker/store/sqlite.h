/* What every file of this folder needs of SQLite: running plain SQL, naming a file, and
 * turning a result code into an err:
 *
 *   BUSY, LOCKED, NOMEM, and          busy (503)
 *   failures for lack of descriptors
 *   INTERRUPT                         busy, code deadline
 *   FULL, IOERR with ENOSPC, EDQUOT   disk_full (507)
 *   CONSTRAINT                        conflict (409)
 *   all others                        internal (500)
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <sqlite3.h>

/* Sets err to what went wrong while `doing`, and returns false.  handle may be NULL. */
bool sqlite_fail(sqlite3 *handle, int rc, const char *doing, struct err *err);
/* Opens with extended result codes and no mutex: for one thread at a time.  NULL on failure. */
MUST_CHECK sqlite3 *sqlite_open(const char *path_or_uri, int flags, struct err *err);
/* Runs SQL text of one or more statements; rows are ignored. */
MUST_CHECK bool sqlite_exec(sqlite3 *handle, const char *sql, struct err *err);
/* Reads one integer, for example of `PRAGMA user_version`. */
MUST_CHECK bool sqlite_read_i64(sqlite3 *handle, const char *sql, int64_t *out,
                                struct err *err);
/* file:PATH?QUERY with the path percent-encoded. */
const char *sqlite_uri(struct arena *a, const char *path, const char *query);
