#include "store/rows_lines.h"

#include "store/sqlite.h"

static bool
read_next(struct rows_lines *lines, struct err *err)
{
    int rc = sqlite3_step(lines->stmt);
    if (rc == SQLITE_ROW) {
        lines->next_row = (uint64_t)sqlite3_column_int64(lines->stmt, 0);
        lines->next_line = (uint64_t)sqlite3_column_int64(lines->stmt, 1);
        return true;
    }
    lines->next_row = UINT64_MAX;
    return rc == SQLITE_DONE ||
           sqlite_fail(sqlite3_db_handle(lines->stmt), rc, "reading source_line", err);
}

bool
rows_lines_open(struct rows_lines *lines, sqlite3 *handle, struct err *err)
{
    int64_t table_count;
    *lines = (struct rows_lines){0};
    if (!sqlite_read_i64(handle,
                         "SELECT count(*) FROM sqlite_schema WHERE name = 'source_line'",
                         &table_count, err))
        return false;
    if (table_count == 0)
        return true;
    int rc =
        sqlite3_prepare_v2(handle, "SELECT first_row, line FROM source_line ORDER BY first_row",
                           -1, &lines->stmt, NULL);
    if (rc != SQLITE_OK)
        return sqlite_fail(handle, rc, "reading source_line", err);
    return read_next(lines, err);
}

void
rows_lines_close(struct rows_lines *lines)
{
    sqlite3_finalize(lines->stmt);
    lines->stmt = NULL;
}

bool
rows_lines_get(struct rows_lines *lines, uint64_t row_number, uint64_t *line, struct err *err)
{
    assert(row_number >= lines->first_row);
    while (lines->stmt && lines->next_row <= row_number) {
        lines->first_row = lines->next_row;
        lines->line = lines->next_line;
        if (!read_next(lines, err))
            return false;
    }
    bool is_known = lines->first_row > 0;
    *line = is_known ? lines->line + (row_number - lines->first_row) : row_number + 1;
    return true;
}
