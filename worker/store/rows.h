/* rows.db: the rows of one dataset version as a plain SQLite table `rows`, rowid = row number
 * from 1, one typed column per dataset column, under the column's name: INTEGER (integer;
 * boolean as 0/1), REAL, TEXT (text; list as its raw text; date as YYYY-MM-DD; datetime as RFC
 * 3339).  Numbers and short text come first in the table, so that they need no overflow page;
 * readers name the columns they want, so the order in the table does not matter to them.
 *
 * A second, small table, `source_line` (first_row INTEGER PRIMARY KEY, line INTEGER NOT NULL),
 * tells on which line of its CSV file each row began; the first line of a file is 1.  It has an
 * entry for row 1, and for each row that does not begin on the line after the line on which the
 * row before it began.
 *
 * 16 KiB pages, written without a journal into a new file and fsynced by rows_build_finish;
 * opened with immutable=1.
 *
 * SQLite's format has no checksums.  A checksum of the whole file is computed when the file is
 * finished and kept in the catalogue, not beside the file, so that damage to the folder cannot
 * reach both. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"

#define ROWS_FILE_NAME "rows.db"

struct rows_column {
    struct str name; /* [a-z_][a-z0-9_]*, checked by the caller */
    enum column_type type;
    uint64_t text_bytes; /* of all its values: decides its place in the table */
};

struct rows_builder;
/* Creates the file at `path`, which must not exist; at least one column.  Rows are added in
 * order. _finish commits and fsyncs; it frees the builder, also on failure, as _cancel does.
 * Neither removes a file that is not complete. */
MUST_CHECK struct rows_builder *rows_build_begin(const char *path,
                                                 const struct rows_column *columns,
                                                 size_t column_count, struct err *err);
/* `line`: the line on which the row began in its CSV; 0: the line after that of the row
 * before. */
MUST_CHECK bool rows_build_add(struct rows_builder *b, const struct value *row, uint64_t line,
                               struct err *err);
MUST_CHECK bool rows_build_finish(struct rows_builder **b, struct err *err);
void rows_build_cancel(struct rows_builder **b); /* accepts NULL */

struct rows; /* an open rows.db */
MUST_CHECK struct rows *rows_open(const char *path, const struct rows_column *columns,
                                  size_t column_count, struct err *err);
void rows_close(struct rows **rows);
/* Reads the given columns of row `row_number` (from 1).  `out` gets `wanted_count` values,
 * whose text is valid until the next call; dates and datetimes are returned as integers, lists
 * as their raw text without elements.  1 found, 0 no such row, -1 error. */
MUST_CHECK int rows_get(struct rows *rows, uint64_t row_number, const size_t *wanted,
                        size_t wanted_count, struct value *out, struct err *err);
/* The line on which the row began.  Row numbers must not descend from call to call. */
MUST_CHECK bool rows_line(struct rows *rows, uint64_t row_number, uint64_t *line,
                          struct err *err);

/* The checksum (base/checksum.h) of the file as it is on disk; never 0.  An error for which
 * err_is_shortage is true says nothing about the file, here and in rows_look. */
MUST_CHECK bool rows_checksum(const char *path, uint64_t *out, struct err *err);
/* For a file without a checksum, made by a release that took none: checks that SQLite finds its
 * structure sound and that it has `row_count` rows.  A changed value is not detected. */
MUST_CHECK bool rows_look(const char *path, uint64_t row_count, struct err *err);

/* Passes the named columns of all rows, in order, as text; cells are valid only during the
 * call.  False from on_row, with err set, stops. */
typedef bool rows_scan_fn(void *context, uint64_t line, const struct str *cells,
                          struct err *err);
MUST_CHECK bool rows_scan(const char *path, const struct str *names, size_t count,
                          rows_scan_fn *on_row, void *context, struct err *err);
