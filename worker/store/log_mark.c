/* Does the log (playmeter.db-wal) belong to the database file beside it?  SQLite does not
 * check: with an older copy of the file beside the log of a newer one, it shows a mixture of
 * the two.
 *
 * So the writer marks its checkpoints.  The mark is the application_id in the header of the
 * file, which a checkpoint copies out of the log like every other change:
 *
 *     ... changes | checkpoint: the file gets mark n | log_base = n, mark = n + 1 | changes ...
 *                                                    ^ only here may the log be restarted
 *
 * The log holds everything after mark `log_base`, a value in the database that is read through
 * the log.  A file whose own mark is below `log_base` lacks changes that the log no longer has.
 * When readers kept a checkpoint from copying the whole log, the log is not restarted, and
 * log_base stays. */
#include "store/db_internal.h"

#include <sys/stat.h>

/* Big-endian, in the header of the file (https://sqlite.org/fileformat.html, 1.3). */
#define MARK_OFFSET 68

bool
log_mark_step(struct db *db, bool is_complete, struct err *err)
{
    scoped_arena a = {0};
    int64_t mark;
    scoped_tx tx = {0};
    if (!sqlite_read_i64(db->handle, "PRAGMA application_id", &mark, err) ||
        !db_begin(db, &tx, err))
        return false;
    const char *base =
        is_complete
            ? arena_printf(&a, "UPDATE data_directory SET log_base = %lld;", (long long)mark).p
            : "";
    /* 31 bits of marks last for 8 PB of log. */
    const char *sql =
        arena_printf(&a, "%sPRAGMA application_id = %lld", base, (long long)mark + 1).p;
    return sqlite_exec(db->handle, sql, err) && db_commit(&tx, err);
}

/* The mark in the file itself, read with SQLite's own descriptor: opening and closing another
 * one would drop the POSIX locks that SQLite holds on the file. */
static bool
read_file_mark(struct db *db, int64_t *mark, struct err *err)
{
    unsigned char bytes[4];
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc == SQLITE_OK)
        rc = file->pMethods->xRead(file, bytes, sizeof(bytes), MARK_OFFSET);
    if (rc != SQLITE_OK)
        return sqlite_fail(db->handle, rc, "reading the header of the database", err);
    *mark = (int64_t)((uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
                      (uint32_t)bytes[2] << 8 | bytes[3]);
    return true;
}

bool
db_log_is_its_own(struct db *db, bool *is_own, struct err *err)
{
    int64_t has_base, base, mark, own = 0;
    scoped_arena a = {0};
    struct stat st;
    *is_own = true;
    /* A file made by another program may have no mark; without a log it needs none. */
    if (stat(arena_printf(&a, "%s-wal", db->path).p, &st) || st.st_size == 0)
        return true;
    if (!sqlite_read_i64(db->handle,
                         "SELECT count(*) FROM pragma_table_info('data_directory')"
                         " WHERE name = 'log_base'",
                         &has_base, err))
        return false;
    if (!has_base)
        return true; /* made before there were marks */
    if (!read_file_mark(db, &own, err) ||
        !sqlite_read_i64(db->handle, "PRAGMA application_id", &mark, err) ||
        !sqlite_read_i64(db->handle, "SELECT log_base FROM data_directory", &base, err))
        return false;
    *is_own = own >= base && own <= mark;
    return true;
}
