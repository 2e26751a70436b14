#include "store/sqlite.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static bool
is_shortage(sqlite3 *handle, int rc)
{
    if ((rc & 0xff) == SQLITE_NOMEM)
        return true;
    if (((rc & 0xff) != SQLITE_CANTOPEN && (rc & 0xff) != SQLITE_IOERR) || !handle)
        return false;
    int system_errno = sqlite3_system_errno(handle);
    return system_errno == EMFILE || system_errno == ENFILE || system_errno == ENOMEM;
}

static bool
is_disk_full(sqlite3 *handle, int rc)
{
    if ((rc & 0xff) == SQLITE_FULL)
        return true;
    if ((rc & 0xff) != SQLITE_IOERR || !handle)
        return false;
    int system_errno = sqlite3_system_errno(handle);
    return system_errno == ENOSPC || system_errno == EDQUOT;
}

bool
sqlite_fail(sqlite3 *handle, int rc, const char *doing, struct err *err)
{
    const char *reason = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(rc);
    if (is_disk_full(handle, rc)) {
        err_set(err, ERR_DISK_FULL, "%s: %s", doing, reason);
        err->is_private = true;
        return false;
    }
    if (is_shortage(handle, rc)) {
        err_set(err, ERR_BUSY, "%s: %s", doing, reason);
        err->is_private = true;
        return false;
    }
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY, "%s: %s", doing, reason);
    case SQLITE_INTERRUPT:
        return err_set_code(err, ERR_BUSY, "deadline", "%s: it took longer than is allowed",
                            doing);
    case SQLITE_CONSTRAINT:
        return err_set(err, ERR_CONFLICT, "%s: %s", doing, reason);
    default:
        return err_set(err, ERR_INTERNAL, "%s: %s (SQLite code %d)", doing, reason, rc);
    }
}

/* Without memory statistics: SQLite would take a lock at each allocation to count bytes that
 * nothing reads. */
static void
configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

sqlite3 *
sqlite_open(const char *path_or_uri, int flags, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    sqlite3 *handle = NULL;
    pthread_once(&once, configure);
    int rc = sqlite3_open_v2(path_or_uri, &handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_extended_result_codes(handle, 1);
        return handle;
    }
    sqlite_fail(handle, rc, path_or_uri, err);
    sqlite3_close_v2(handle);
    return NULL;
}

bool
sqlite_exec(sqlite3 *handle, const char *sql, struct err *err)
{
    int rc = sqlite3_exec(handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? true : sqlite_fail(handle, rc, sql, err);
}

bool
sqlite_read_i64(sqlite3 *handle, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0);
    bool ok = rc == SQLITE_ROW ? true : sqlite_fail(handle, rc, sql, err);
    sqlite3_finalize(stmt);
    return ok;
}

const char *
sqlite_uri(struct arena *a, const char *path, const char *query)
{
    static const char HEX[] = "0123456789ABCDEF";
    size_t n = strlen(path);
    char *escaped = arena_alloc(a, 3 * n + 1), *out = escaped;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)path[i];
        if (c != '?' && c != '#' && c != '%') {
            *out++ = (char)c;
            continue;
        }
        *out++ = '%';
        *out++ = HEX[c >> 4];
        *out++ = HEX[c & 15];
    }
    return arena_printf(a, "file:%s?%s", escaped, query).p;
}
