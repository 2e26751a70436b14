/* On which line of its CSV file each row of a rows.db began, for a caller that goes through the
 * rows in ascending order; private to rows*.c.
 *
 *     source_line(first_row, line)      an entry where the lines do not simply follow on
 *         1   2                         rows 1, 2, 3 are on lines 2, 3, 4
 *         4   9                         row 4 is on line 9, row 5 on line 10, ...
 *
 * A file older than this table is taken to have one row per line after a header. */
#pragma once

#include "base/err.h"

#include <sqlite3.h>

struct rows_lines {
    sqlite3_stmt *stmt;           /* NULL: no table */
    uint64_t first_row, line;     /* the entry that applies; 0: none yet */
    uint64_t next_row, next_line; /* the entry after it; UINT64_MAX: none */
};
MUST_CHECK bool rows_lines_open(struct rows_lines *lines, sqlite3 *handle, struct err *err);
void rows_lines_close(struct rows_lines *lines); /* accepts a zeroed struct */
/* Row numbers must not descend from call to call. */
MUST_CHECK bool rows_lines_get(struct rows_lines *lines, uint64_t row_number, uint64_t *line,
                               struct err *err);
