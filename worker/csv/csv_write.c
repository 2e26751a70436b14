/* Writing CSV: the inverse of the parser.  See csv.h. */
#include "csv/bytes.h"
#include "csv/csv.h"

static bool
needs_quotes(struct csv_dialect dialect, struct str cell)
{
    const char *end = cell.p + cell.n;
    if (cell.n == 0)
        return false;
    /* A file that begins with the three bytes of a BOM would lose them when read back. */
    return bytes_find_stop(cell.p, end, dialect.delimiter) < end ||
           str_find_char(cell, dialect.quote) >= 0 || str_starts(cell, STR("\xef\xbb\xbf"));
}

static void
add_quoted(struct buf *out, char quote, struct str cell)
{
    buf_add_char(out, quote);
    while (cell.p) {
        struct str part = str_cut(&cell, quote);
        buf_add(out, part);
        if (cell.p) {
            buf_add_char(out, quote);
            buf_add_char(out, quote);
        }
    }
    buf_add_char(out, quote);
}

void
csv_add_cell(struct buf *out, struct csv_dialect dialect, struct str cell)
{
    if (dialect.quote && needs_quotes(dialect, cell))
        add_quoted(out, dialect.quote, cell);
    else
        buf_add(out, cell);
}

void
csv_add_row(struct buf *out, struct csv_dialect dialect, const struct str *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(out, dialect.delimiter);
        csv_add_cell(out, dialect, cells[i]);
    }
    if (n == 1 && cells[0].n == 0 && dialect.quote)
        add_quoted(out, dialect.quote, STR(""));
    buf_add_lit(out, "\r\n");
}
