/* Which line of its CSV file each row of a rows.db came from, for whoever walks the rows from
 * the first to the last; private to rows*.c.
 *
 *     source_line(first_row, line)      a row per break, the first row's among them:
 *         1   2                         rows 1, 2, 3 stand in lines 2, 3, 4
 *         4   9                         row 4 in line 9, ...
 *
 * A file made before there was such a table is taken to have a row per line behind a header. */
#pragma once

#include "base/err.h"

#include <sqlite3.h>

struct rows_lines {
    sqlite3_stmt *stmt;           /* NULL: no table */
    uint64_t first_row, line;     /* of the break at hand; 0: none yet */
    uint64_t next_row, next_line; /* of the one behind it; UINT64_MAX: none */
};
MUST_CHECK bool rows_lines_open(struct rows_lines *lines, sqlite3 *handle, struct err *err);
void rows_lines_close(struct rows_lines *lines); /* accepts a zeroed struct */
/* Rows are asked for in ascending order. */
MUST_CHECK bool rows_lines_get(struct rows_lines *lines, uint64_t row_number, uint64_t *line,
                               struct err *err);
