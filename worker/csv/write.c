/* Writing CSV: the inverse of the parser. */
#include "base/utf8.h"
#include "csv/bytes.h"
#include "csv/csv.h"

static void
add_quoted(struct buf *out, char quote, struct str before, struct str cell)
{
    buf_add_char(out, quote);
    buf_add(out, before);
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
    const char *end = cell.p + cell.n;
    /* A file that begins with the bytes of a BOM would lose them when it is read back. */
    if (dialect.quote && cell.n &&
        (bytes_find_stop(cell.p, end, dialect.delimiter) < end ||
         str_find_char(cell, dialect.quote) >= 0 || str_starts(cell, STR("\xef\xbb\xbf"))))
        add_quoted(out, dialect.quote, STR(""), cell);
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
        add_quoted(out, dialect.quote, STR(""), STR(""));
    buf_add_lit(out, "\r\n");
}

/* ---- text that a spreadsheet would evaluate ---- */

static bool
begins_formula(uint32_t c)
{
    /* The characters that NFKC maps to a text beginning with = + - @ or U+2212, and the
     * modifier letters and heavy signs of plus and minus. */
    static const uint32_t SIGNS[] = {
        0x02d6, 0x02d7, 0x207a, 0x207b, 0x207c, 0x208a, 0x208b, 0x208c, 0x2212, 0x2795, 0x2796,
        0x2a75, 0x2a76, 0xfb29, 0xfe62, 0xfe63, 0xfe66, 0xfe6b, 0xff0b, 0xff0d, 0xff1d, 0xff20};
    if (c < SIGNS[0]) /* as nearly all are */
        return c == '=' || c == '+' || c == '-' || c == '@';
    for (size_t i = 0; i < COUNT_OF(SIGNS); i++)
        if (SIGNS[i] == c)
            return true;
    return false;
}

bool
csv_is_formula(struct str cell)
{
    if (cell.n && (cell.p[0] == '\t' || cell.p[0] == '\r' || cell.p[0] == '\n'))
        return true;
    for (size_t n; (n = utf8_sequence(cell)) > 0; cell = str_skip(cell, n)) {
        uint32_t c = utf8_decode(cell.p, n);
        if (!utf8_is_blank(c))
            return begins_formula(c);
    }
    return false;
}

void
csv_add_text(struct buf *out, struct str text, bool is_raw)
{
    static const struct csv_dialect PLAIN = {.delimiter = ',', .quote = '"'};
    if (!is_raw && csv_is_formula(text))
        add_quoted(out, '"', STR("'"), text);
    else
        csv_add_cell(out, PLAIN, text);
}
