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
};

static sqlite3_vfs *below;

static sqlite3_file *
file_below(sqlite3_file *file)
{
    return (sqlite3_file *)((struct wal_file *)file + 1);
}

/* What could not be written is dropped: the transaction fails, and the next begins at the same
 * place. */
static int
flush(sqlite3_file *file)
{
    struct wal_file *w = (struct wal_file *)file;
    sqlite3_int64 n = w->n;
    w->n = 0;
    if (n == 0)
        return SQLITE_OK;
    return file_below(file)->pMethods->xWrite(file_below(file), w->bytes, (int)n, w->at);
}

static int
write_later(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct wal_file *w = (struct wal_file *)file;
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

static int
close_log(sqlite3_file *file)
{
    int rc = flush(file);
    int closed = file_below(file)->pMethods->xClose(file_below(file));
    free(((struct wal_file *)file)->bytes);
    return rc != SQLITE_OK ? rc : closed;
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
