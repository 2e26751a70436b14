/* See wal_buffer.h.  Everything but the log goes to SQLite's own layer untouched: its files are
 * opened by it in the place that is meant for ours.
 *
 *     | struct wal_file | the file of the layer below |       of a log
 *     | the file of the layer below                   |       of any other */
#include "store/wal_buffer.h"

#include "base/base.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* Some thirty pages.  SQLite's own layer writes less than 128 KiB at a time, and takes exactly
 * that for nothing. */
#define BUFFER_BYTES ((sqlite3_int64)(120 * KIB))

struct wal_file {
    sqlite3_file base;
    char *bytes;      /* BUFFER_BYTES; NULL until something is written */
    sqlite3_int64 at; /* where in the log they belong */
    sqlite3_int64 n;  /* how many wait */
    int failed; /* what a write came to since the last rollback; SQLITE_OK: all went well */
};

static sqlite3_vfs *below;

static sqlite3_file *
file_below(sqlite3_file *file)
{
    return (sqlite3_file *)((struct wal_file *)file + 1);
}

static int
flush(sqlite3_file *file)
{
    struct wal_file *w = (struct wal_file *)file;
    if (w->n > 0 && w->failed == SQLITE_OK)
        w->failed =
            file_below(file)->pMethods->xWrite(file_below(file), w->bytes, (int)w->n, w->at);
    w->n = 0;
    return w->failed;
}

static int
write_later(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct wal_file *w = (struct wal_file *)file;
    if (w->failed != SQLITE_OK)
        return w->failed;
    if (!w->bytes && !(w->bytes = malloc((size_t)BUFFER_BYTES)))
        return SQLITE_NOMEM;
    if (at != w->at + w->n || w->n + n > BUFFER_BYTES) {
        int rc = flush(file);
        if (rc != SQLITE_OK)
            return rc;
        w->at = at;
    }
    if (n > BUFFER_BYTES)
        return file_below(file)->pMethods->xWrite(file_below(file), bytes, n, at);
    memcpy(w->bytes + w->n, bytes, (size_t)n);
    w->n += n;
    return SQLITE_OK;
}

/* The methods below that need to see what waits. */
#define AFTER_FLUSH(file, method, ...)                                                         \
    int rc = flush(file);                                                                      \
    return rc != SQLITE_OK ? rc                                                                \
                           : file_below(file)->pMethods->method(file_below(file), __VA_ARGS__)

static int
read_written(sqlite3_file *file, void *bytes, int n, sqlite3_int64 at)
{
    AFTER_FLUSH(file, xRead, bytes, n, at);
}

static int
cut(sqlite3_file *file, sqlite3_int64 size)
{
    AFTER_FLUSH(file, xTruncate, size);
}

static int
sync_written(sqlite3_file *file, int flags)
{
    AFTER_FLUSH(file, xSync, flags);
}

static int
measure(sqlite3_file *file, sqlite3_int64 *size)
{
    AFTER_FLUSH(file, xFileSize, size);
}

static int
control(sqlite3_file *file, int what, void *argument)
{
    AFTER_FLUSH(file, xFileControl, what, argument);
}

/* What waits still belongs to no commit, and others may have written there. */
static int
close_log(sqlite3_file *file)
{
    free(((struct wal_file *)file)->bytes);
    return file_below(file)->pMethods->xClose(file_below(file));
}

static int
lock(sqlite3_file *file, int level)
{
    return file_below(file)->pMethods->xLock(file_below(file), level);
}

static int
unlock(sqlite3_file *file, int level)
{
    return file_below(file)->pMethods->xUnlock(file_below(file), level);
}

static int
check_reserved_lock(sqlite3_file *file, int *out)
{
    return file_below(file)->pMethods->xCheckReservedLock(file_below(file), out);
}

static int
sector_size(sqlite3_file *file)
{
    return file_below(file)->pMethods->xSectorSize(file_below(file));
}

static int
characteristics(sqlite3_file *file)
{
    return file_below(file)->pMethods->xDeviceCharacteristics(file_below(file));
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 1, /* maps and shared memory belong to the database's file */
    .xClose = close_log,
    .xRead = read_written,
    .xWrite = write_later,
    .xTruncate = cut,
    .xSync = sync_written,
    .xFileSize = measure,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static int
open_file(sqlite3_vfs *vfs UNUSED, sqlite3_filename name, sqlite3_file *file, int flags,
          int *out_flags)
{
    if (!(flags & SQLITE_OPEN_WAL))
        return below->xOpen(below, name, file, flags, out_flags);
    memset(file, 0, sizeof(struct wal_file));
    int rc = below->xOpen(below, name, file_below(file), flags, out_flags);
    if (rc == SQLITE_OK)
        file->pMethods = &METHODS;
    return rc;
}

void
wal_buffer_install(void)
{
    static sqlite3_vfs ours;
    below = sqlite3_vfs_find(NULL);
    assert(below);
    ours = *below;
    ours.szOsFile = below->szOsFile + (int)sizeof(struct wal_file);
    ours.zName = WAL_BUFFER;
    ours.xOpen = open_file;
    int rc = sqlite3_vfs_register(&ours, 0);
    assert(rc == SQLITE_OK);
}

/* Else what was rolled back would be written at some later time, when another connection may
 * have committed something else in its place. */
static void
forget(void *handle)
{
    sqlite3_file *log = NULL;
    int rc = sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    if (rc != SQLITE_OK || log->pMethods != &METHODS)
        return; /* the journal from before the log */
    struct wal_file *w = (struct wal_file *)log;
    w->n = 0;
    w->failed = SQLITE_OK;
}

void
wal_buffer_watch(sqlite3 *handle)
{
    /* Without it (it is SQLite's default) a commit is padded after its sync. */
    int is_powersafe = -1;
    int rc =
        sqlite3_file_control(handle, "main", SQLITE_FCNTL_POWERSAFE_OVERWRITE, &is_powersafe);
    assert(rc == SQLITE_OK && is_powersafe == 1);
    sqlite3_rollback_hook(handle, forget, handle);
}
