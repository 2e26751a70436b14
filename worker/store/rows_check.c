/* Checks whether rows.db is what was written: rows_checksum and rows_look of rows.h. */
#include "store/rows.h"

#include "base/checksum.h"
#include "base/fs.h"
#include "store/sqlite.h"

#include <fcntl.h>
#include <string.h>

bool
rows_checksum(const char *path, uint64_t *out, struct err *err)
{
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDONLY, err);
    uint64_t bytes, checksum;
    if (fd < 0 || !fs_size(fd, &bytes, err) || !checksum_file(fd, 0, bytes, &checksum, err))
        return false;
    /* In the catalogue, 0 means that there is no checksum. */
    *out = MAX(checksum, 1);
    return true;
}

static bool
is_sound(sqlite3 *handle, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(handle, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    bool ok = said && strcmp(said, "ok") == 0;
    if (said && !ok)
        err_set(err, ERR_INTERNAL, "SQLite says: %s", said);
    else if (!ok)
        sqlite_fail(handle, rc == SQLITE_ROW ? SQLITE_NOMEM : rc, "looking at rows.db", err);
    sqlite3_finalize(stmt);
    return ok;
}

bool
rows_look(const char *path, uint64_t row_count, struct err *err)
{
    scoped_arena a = {0};
    int64_t found = -1;
    sqlite3 *handle = sqlite_open(sqlite_uri(&a, path, "immutable=1"),
                                  SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    if (!handle)
        return false;
    bool ok = is_sound(handle, err) &&
              sqlite_read_i64(handle, "SELECT count(*) FROM rows", &found, err);
    sqlite3_close_v2(handle);
    return ok && ((uint64_t)found == row_count ||
                  err_set(err, ERR_INTERNAL, "it has %lld rows and the version %llu",
                          (long long)found, (unsigned long long)row_count));
}
