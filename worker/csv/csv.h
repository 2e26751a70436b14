/* The CSV parser: RFC 4180 with the deviations that real files have.  It is fed chunks of any
 * size and yields the same rows wherever the file was cut into chunks.  Input is UTF-8
 * (decode.h produces it).
 *
 *   file   = [BOM] row *(eol row) [eol]        eol = CRLF / LF / CR, mixed as they come
 *   row    = cell *(delimiter cell)
 *   cell   = quote *(any but quote / quote quote) quote / *(any but delimiter and eol)
 *
 * A quote inside an unquoted cell is a plain character, and so is text after a closing quote
 * (it is appended to the cell).  An empty line is skipped and is not a row.
 *
 * A quoted cell still open at the end of the file, or CSV_ROW_BYTES_MAX after the start of its
 * row, makes the row it opened in a fault, CSV_UNCLOSED_QUOTE.  The raw text and the cells of
 * that fault are those of the row's first line, and parsing continues after that line, so that
 * one stray quote costs one row.  Bytes after that line are then read a second time.  Once 256
 * MiB of a file were read twice, its quoted cells must close on the line they open on, which
 * keeps the time linear.  A single line longer than CSV_ROW_BYTES_MAX is CSV_ROW_TOO_LONG and
 * skipped to its end. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define CSV_CELL_BYTES_MAX MIB       /* a longer cell makes its row a fault */
#define CSV_ROW_BYTES_MAX (64 * MIB) /* memory bound of the parser; a longer row is a fault */
#define CSV_CELLS_MAX (64 * KIB)     /* a row of more cells is CSV_TOO_MANY_CELLS */

struct csv_dialect {
    char delimiter; /* one byte */
    char quote;     /* 0: quoting is off */
    bool has_header;
};

enum csv_fault {
    CSV_OK,
    CSV_UNCLOSED_QUOTE,
    CSV_CELL_TOO_LONG,
    CSV_ROW_TOO_LONG,
    CSV_TOO_MANY_CELLS,
    CSV_NUL_BYTE,
    CSV_INVALID_UTF8,
};

struct csv_row {
    const struct str *cells; /* unescaped; none for CSV_ROW_TOO_LONG and CSV_TOO_MANY_CELLS.  Of
                              * any other faulty row, what could be read, which may include the
                              * bytes at fault */
    size_t cell_count;
    struct str raw;  /* the row as it stands in the file, without its eol; cut at 64 KiB */
    uint64_t line;   /* physical line it begins on, from 1 */
    uint64_t offset; /* bytes from the start of the (decoded) file */
    enum csv_fault fault;
};
/* Stable snake_case word for a reject's reason: "unclosed_quote", ... */
const char *csv_fault_name(enum csv_fault fault);

/* Cells point into the chunk or into the parser and are valid only during the call.  False
 * stops the parse, with err set by the callback. */
typedef bool csv_row_fn(void *context, const struct csv_row *row, struct err *err);

/* The delimiter and the quote are two different ASCII characters other than CR, LF and NUL;
 * quote may be 0. */
bool csv_dialect_is_valid(struct csv_dialect dialect);

struct csv; /* made by csv_open, which asserts a valid dialect */
struct csv *csv_open(struct csv_dialect dialect, csv_row_fn *on_row, void *context);
void csv_close(struct csv **csv);
#define scoped_csv SCOPED(csv_close) struct csv *

/* Feed the next chunk.  Fails only when on_row does. */
MUST_CHECK bool csv_feed(struct csv *csv, struct str chunk, struct err *err);
/* The end of the file: delivers the last row. */
MUST_CHECK bool csv_finish(struct csv *csv, struct err *err);

/* Appends one cell or one row so that csv_open reads it back: quoted only where needed.  Rows
 * end in CRLF (RFC 4180).  A row of one empty cell is written as "", because an empty line is
 * not a row. */
void csv_add_cell(struct buf *out, struct csv_dialect dialect, struct str cell);
void csv_add_row(struct buf *out, struct csv_dialect dialect, const struct str *cells,
                 size_t n);

/* Would a spreadsheet evaluate the text as a formula?  True when it begins with a tab, CR or
 * LF, or when its first visible character is = + - @ or the minus sign U+2212, or a compatible
 * form of one of them in Unicode (full-width, small, superscript, ...).  OWASP, CSV injection:
 * spreadsheets trim blanks, and those of East Asia treat full-width signs as ASCII. */
bool csv_is_formula(struct str cell);
/* One cell of a file for people (commas, double quotes).  A formula gets an apostrophe before
 * it, which makes it a text, and quotes around both, unless `is_raw`.  Whatever strangers wrote
 * and goes out as CSV is written by this; what is known to be a number, a day or JSON may be
 * raw. */
void csv_add_text(struct buf *out, struct str text, bool is_raw);
