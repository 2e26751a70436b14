/* Reading all of a rows.db in order, with a handle of its own and without a map: pages that are
 * read once need not stay in this process. */
#include "base/buf.h"
#include "store/rows.h"
#include "store/rows_lines.h"
#include "store/sqlite.h"

struct scan {
    sqlite3 *handle;
    sqlite3_stmt *stmt;
    struct rows_lines lines;
};

static void
end_scan(struct scan *scan)
{
    rows_lines_close(&scan->lines);
    sqlite3_finalize(scan->stmt);
    sqlite3_close_v2(scan->handle);
}
#define scoped_scan SCOPED(end_scan) struct scan

/* The table has no index, so a full scan is by rowid, which is the row number. */
static bool
prepare(struct scan *scan, const struct str *names, size_t count, struct err *err)
{
    scoped_buf sql;
    buf_init(&sql, 4 * MIB);
    for (size_t i = 0; i < count; i++)
        buf_printf(&sql, "%s\"%" STR_FMT "\"", i ? "," : "SELECT ", STR_ARG(names[i]));
    buf_add_lit(&sql, " FROM rows");
    int rc = sqlite3_prepare_v2(scan->handle, sql.p, (int)sql.n, &scan->stmt, NULL);
    return rc == SQLITE_OK || sqlite_fail(scan->handle, rc, "reading rows.db", err);
}

bool
rows_scan(const char *path, const struct str *names, size_t count, rows_scan_fn *on_row,
          void *context, struct err *err)
{
    scoped_arena a = {0};
    scoped_scan scan = {.handle = sqlite_open(sqlite_uri(&a, path, "immutable=1"),
                                              SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err)};
    struct str *cells = arena_array(&a, count, struct str);
    if (!scan.handle || !sqlite_exec(scan.handle, "PRAGMA cache_size = -1024", err) ||
        !rows_lines_open(&scan.lines, scan.handle, err) || !prepare(&scan, names, count, err))
        return false;
    int rc;
    for (uint64_t number = 1, line; (rc = sqlite3_step(scan.stmt)) == SQLITE_ROW; number++) {
        for (size_t i = 0; i < count; i++) {
            const char *p = (const char *)sqlite3_column_text(scan.stmt, (int)i);
            cells[i] =
                (struct str){p ? p : "", (size_t)sqlite3_column_bytes(scan.stmt, (int)i)};
        }
        if (!rows_lines_get(&scan.lines, number, &line, err) ||
            !on_row(context, line, cells, err))
            return false;
    }
    return rc == SQLITE_DONE || sqlite_fail(scan.handle, rc, "reading rows.db", err);
}
