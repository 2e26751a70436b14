/* rows.db: the rows of one dataset version as a plain SQLite table `rows`, rowid = row number
 * from 1, one typed column per dataset column under its own name: INTEGER (integer; boolean as
 * 0/1), REAL, TEXT (text; list as its raw text; date as YYYY-MM-DD; datetime as RFC 3339).
 * Numbers and short text stand first in the table so that they need no overflow page; the order
 * of the schema is kept by the reader, who names columns.  A small second table, `source_line`
 * (first_row INTEGER PRIMARY KEY, line INTEGER NOT NULL), says in which line of its CSV file a
 * row began, the first line being 1: it has a row for the first row and for each that does not
 * stand in the line behind its elder's.  16 KiB pages, written with the
 * journal off into a fresh file and fsynced by rows_build_finish; opened immutable=1.
 *
 * SQLite's own format has no checksums.  Ours, of the whole file, is taken when it is finished
 * and lies in the catalogue, not beside the file: what happens to the folder cannot happen to
 * both. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/value.h"

#define ROWS_FILE_NAME "rows.db"

struct rows_column {
    struct str name; /* [a-z_][a-z0-9_]*, checked by the caller */
    enum column_type type;
    uint64_t text_bytes; /* of the whole column: decides what counts as short */
};

struct rows_builder;
MUST_CHECK struct rows_builder *rows_build_begin(const char *path,
                                                 const struct rows_column *columns,
                                                 size_t column_count, struct err *err);
/* `line`: where the row came from; 0: the line behind that of the row before it. */
MUST_CHECK bool rows_build_add(struct rows_builder *b, const struct value *row, uint64_t line,
                               struct err *err);
MUST_CHECK bool rows_build_finish(struct rows_builder **b, struct err *err);
void rows_build_cancel(struct rows_builder **b); /* accepts NULL */

struct rows; /* an open rows.db */
MUST_CHECK struct rows *rows_open(const char *path, const struct rows_column *columns,
                                  size_t column_count, struct err *err);
void rows_close(struct rows **rows);
/* Reads the given columns of row `row_number` (from 1).  `out` gets `wanted_count` values whose
 * text is valid until the next call; dates and datetimes come back as integers, lists as their
 * raw text without elements.  1 found, 0 no such row, -1 error. */
MUST_CHECK int rows_get(struct rows *rows, uint64_t row_number, const size_t *wanted,
                        size_t wanted_count, struct value *out, struct err *err);
/* The line that the row came from; rows are asked for in ascending order. */
MUST_CHECK bool rows_line(struct rows *rows, uint64_t row_number, uint64_t *line,
                          struct err *err);

/* The checksum (checksum.h) of the file as it lies there; never 0.  What err_is_shortage is
 * says nothing about the file, here and in rows_look. */
MUST_CHECK bool rows_checksum(const char *path, uint64_t *out, struct err *err);
/* For a file whose checksum nobody took, made by a program that took none: SQLite finds its
 * structure sound and it has so many rows.  A value that another took the place of passes. */
MUST_CHECK bool rows_look(const char *path, uint64_t row_count, struct err *err);

/* Hands over columns of all rows in order, as text; cells are valid during the call only.
 * False from on_row, with err set, stops. */
typedef bool rows_scan_fn(void *context, uint64_t line, const struct str *cells,
                          struct err *err);
MUST_CHECK bool rows_scan(const char *path, const struct str *names, size_t count,
                          rows_scan_fn *on_row, void *context, struct err *err);
