/* The parser works on windows of contiguous bytes: the caller's chunk, or `carry`, which joins
 * a row that spans chunks.  scan_row reads one row out of a window or reports that it needs
 * more.  It keeps no state of its own: a row that came in two chunks is scanned again once the
 * carry has at least doubled, which is at most twice the work and has no special case at a
 * cut.
 *
 *     chunk 1               chunk 2                      chunk 3
 *     [row row row ro|      |w row row row row ... row|  ...
 *                  '--carry--'
 *     rows are delivered straight from the chunks; only the row at the seam is copied
 *
 * All limits are measured from the row's first byte, never from a window's, so that the rows do
 * not depend on the cuts.
 *
 * A quote that never closes is detected after CSV_ROW_BYTES_MAX bytes or at the end of the
 * file, and everything after the row's first line is read again.  A file can be made so that
 * each line opens such a quote (`a",",b` does, from inside or outside a quoted cell), which
 * would cost 64 MiB of reading per line.  So the bytes read twice are counted, and after
 * REREAD_BYTES_MAX of them a quoted cell must close on the line it opens on: the rest of the
 * file is read in one pass, in which a stray quote costs one line. */
#include "csv/csv.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "csv/bytes.h"

#include <stdlib.h>
#include <string.h>

/* A row of the maximal length is known to be complete only with the two bytes after it (CRLF).
 */
#define WINDOW_BYTES_MAX (CSV_ROW_BYTES_MAX + 2)
/* A carry with fewer bytes is not scanned yet, so that tiny chunks stay cheap. */
#define CARRY_BYTES_MIN (4 * KIB)
#define CARRY_KEPT_BYTES_MAX (4 * MIB)
/* Four rows of the maximal length: far more than an honest file needs, a second at most. */
#define REREAD_BYTES_MAX (4 * CSV_ROW_BYTES_MAX)
#define RAW_BYTES_MAX (64 * KIB)

static const struct str BOM = STR_INIT("\xef\xbb\xbf");

struct csv {
    struct csv_dialect dialect;
    csv_row_fn *on_row;
    void *context;

    uint64_t line;      /* of the next row */
    uint64_t offset;    /* of the next unread byte */
    uint64_t reread;    /* bytes read twice so far; see REREAD_BYTES_MAX */
    bool is_begun;      /* the BOM has been looked for */
    bool is_skipping;   /* inside a line that was delivered as CSV_ROW_TOO_LONG */
    struct buf carry;   /* the beginning of a row whose end has not come yet */
    size_t carry_ready; /* the carry is scanned when it holds this many bytes */

    /* The row being read. */
    struct str *cells;
    size_t cell_count, cell_cap;
    size_t *escaped; /* indexes of the cells whose text differs from their bytes in the file */
    size_t escaped_count, escaped_cap;
    char *unescaped; /* memory for those */
    size_t unescaped_cap;
};

const char *
csv_fault_name(enum csv_fault fault)
{
    static const char *const NAMES[] = {
        [CSV_OK] = "ok",
        [CSV_UNCLOSED_QUOTE] = "unclosed_quote",
        [CSV_CELL_TOO_LONG] = "cell_too_long",
        [CSV_ROW_TOO_LONG] = "row_too_long",
        [CSV_TOO_MANY_CELLS] = "too_many_cells",
        [CSV_NUL_BYTE] = "nul_byte",
        [CSV_INVALID_UTF8] = "invalid_utf8",
    };
    return NAMES[fault];
}

bool
csv_dialect_is_valid(struct csv_dialect dialect)
{
    char d = dialect.delimiter, q = dialect.quote;
    bool is_plain = d > 0 && d != '\r' && d != '\n' && q >= 0 && q != '\r' && q != '\n';
    return is_plain && d != q;
}

struct csv *
csv_open(struct csv_dialect dialect, csv_row_fn *on_row, void *context)
{
    assert(csv_dialect_is_valid(dialect));
    struct csv *csv = mem_alloc(sizeof(*csv));
    *csv = (struct csv){.dialect = dialect, .on_row = on_row, .context = context, .line = 1};
    buf_init(&csv->carry, WINDOW_BYTES_MAX);
    return csv;
}

void
csv_close(struct csv **csv)
{
    if (!*csv)
        return;
    buf_free(&(*csv)->carry);
    free((*csv)->cells);
    free((*csv)->escaped);
    free((*csv)->unescaped);
    free(*csv);
    *csv = NULL;
}

/* ---- one row out of a window ---- */

struct window {
    const char *p, *end;
    bool is_last; /* the file ends where the window does */
};

enum scan {
    SCAN_ROW,  /* complete: `end` and `next` are set */
    SCAN_OPEN, /* the file ended inside a quoted cell */
    SCAN_MORE, /* the window ended before the row did */
};

struct scanned {
    const char *end;  /* of the row, without its eol */
    const char *next; /* behind the eol */
};

static void
push_cell(struct csv *csv, const char *p, const char *end, bool is_escaped)
{
    /* Cells beyond the maximum are counted but not kept, so that the row is known to be a
     * fault. */
    size_t i = csv->cell_count++;
    if (i >= CSV_CELLS_MAX)
        return;
    csv->cells = mem_grow(csv->cells, &csv->cell_cap, i + 1, sizeof(*csv->cells));
    csv->cells[i] = (struct str){p, (size_t)(end - p)};
    if (!is_escaped)
        return;
    csv->escaped = mem_grow(csv->escaped, &csv->escaped_cap, csv->escaped_count + 1,
                            sizeof(*csv->escaped));
    csv->escaped[csv->escaped_count++] = i;
}

/* The closing quote of a cell whose text begins at `p`; NULL when it is not in the window, or
 * when the window ends after a quote that could be the first of a pair. */
static const char *
find_closing_quote(const struct window *w, const char *p, char quote, bool *has_pairs)
{
    for (;;) {
        p = p < w->end ? memchr(p, quote, (size_t)(w->end - p)) : NULL;
        if (!p)
            return NULL;
        if (p + 1 == w->end)
            return w->is_last ? p : NULL;
        if (p[1] != quote)
            return p;
        *has_pairs = true;
        p += 2;
    }
}

/* Reads one cell.  Returns the stop after it, or NULL when a quoted cell does not close. */
static const char *
scan_cell(struct csv *csv, const struct window *w, const char *p)
{
    char quote = csv->dialect.quote, delimiter = csv->dialect.delimiter;
    if (!quote || p == w->end || *p != quote) {
        const char *stop = bytes_find_stop(p, w->end, delimiter);
        push_cell(csv, p, stop, false);
        return stop;
    }
    bool is_escaped = false;
    const char *closing = find_closing_quote(w, p + 1, quote, &is_escaped);
    if (!closing) {
        push_cell(csv, p + 1, w->end, true);
        return NULL;
    }
    const char *stop = bytes_find_stop(closing + 1, w->end, delimiter);
    is_escaped |= stop != closing + 1;
    push_cell(csv, p + 1, is_escaped ? stop : closing, is_escaped);
    return stop;
}

static const char *
skip_eol(const char *p, const char *end)
{
    if (p < end && *p == '\r')
        p++;
    /* An LF here is the second half of a CRLF, or an eol by itself when no CR came before. */
    return p < end && *p == '\n' ? p + 1 : p;
}

static enum scan
scan_row(struct csv *csv, const struct window *w, struct scanned *out)
{
    csv->cell_count = csv->escaped_count = 0;
    const char *stop = scan_cell(csv, w, w->p);
    while (stop && stop < w->end && *stop == csv->dialect.delimiter)
        stop = scan_cell(csv, w, stop + 1);
    if (!stop)
        return w->is_last ? SCAN_OPEN : SCAN_MORE;
    bool is_cut = stop == w->end || (*stop == '\r' && stop + 1 == w->end);
    if (is_cut && !w->is_last)
        return SCAN_MORE;
    out->end = stop;
    out->next = skip_eol(stop, w->end);
    return SCAN_ROW;
}

/* scan_row for when quoted cells must close on their line. */
static enum scan
scan_line(struct csv *csv, const struct window *w, struct scanned *out)
{
    const char *eol = bytes_find_eol(w->p, w->end);
    bool is_cut = eol == w->end || (*eol == '\r' && eol + 1 == w->end);
    if (is_cut && !w->is_last)
        return SCAN_MORE;
    struct window line = {w->p, eol, true};
    enum scan result = scan_row(csv, &line, out);
    out->end = eol;
    out->next = skip_eol(eol, w->end);
    return result;
}

/* The value of a cell that begins with a quote: pairs of quotes become one up to the closing
 * quote, and text after that is appended as it is. */
static struct str
unescape(char *out, struct str s, char quote)
{
    char *start = out;
    for (;;) {
        ptrdiff_t at = str_find_char(s, quote);
        bool is_pair = at >= 0 && (size_t)at + 1 < s.n && s.p[at + 1] == quote;
        size_t n = at < 0 ? s.n : (size_t)at + is_pair;
        memcpy(out, s.p, n);
        out += n;
        s = str_skip(s, n + (at >= 0));
        if (!is_pair)
            break;
    }
    if (s.n)
        memcpy(out, s.p, s.n);
    return (struct str){start, (size_t)(out - start) + s.n};
}

static void
unescape_cells(struct csv *csv)
{
    if (csv->escaped_count == 0)
        return;
    size_t bytes = 0;
    for (size_t i = 0; i < csv->escaped_count; i++)
        bytes += csv->cells[csv->escaped[i]].n;
    csv->unescaped = mem_grow(csv->unescaped, &csv->unescaped_cap, bytes + 1, 1);
    char *out = csv->unescaped;
    for (size_t i = 0; i < csv->escaped_count; i++) {
        struct str *cell = &csv->cells[csv->escaped[i]];
        *cell = unescape(out, *cell, csv->dialect.quote);
        out += cell->n;
    }
}

/* ---- delivery ---- */

static enum csv_fault
find_fault(const struct csv *csv, struct str raw, const struct bytes_survey *survey)
{
    /* A row within the limit of a cell has no cell beyond it. */
    for (size_t i = 0; raw.n > CSV_CELL_BYTES_MAX && i < csv->cell_count; i++)
        if (csv->cells[i].n > CSV_CELL_BYTES_MAX)
            return CSV_CELL_TOO_LONG;
    if (survey->has_nul)
        return CSV_NUL_BYTE;
    return survey->is_ascii || utf8_is_valid(raw) ? CSV_OK : CSV_INVALID_UTF8;
}

/* Delivers the row that was scanned, whose first byte is `p`. */
static bool
deliver(struct csv *csv, const char *p, const struct scanned *at, enum csv_fault fault,
        struct err *err)
{
    struct str raw = {p, (size_t)(at->end - p)};
    struct bytes_survey survey = bytes_survey(raw);
    if (csv->cell_count > CSV_CELLS_MAX && fault != CSV_ROW_TOO_LONG)
        fault = CSV_TOO_MANY_CELLS;
    bool has_cells = csv->cell_count <= CSV_CELLS_MAX && fault != CSV_ROW_TOO_LONG;
    if (has_cells)
        unescape_cells(csv);
    if (fault == CSV_OK)
        fault = find_fault(csv, raw, &survey);
    struct csv_row row = {
        .cells = has_cells ? csv->cells : NULL,
        .cell_count = has_cells ? csv->cell_count : 0,
        .raw = str_slice(raw, 0, RAW_BYTES_MAX),
        .line = csv->line,
        .offset = csv->offset,
        .fault = fault,
    };
    csv->line += survey.line_ends + (at->next > at->end);
    return csv->on_row(csv->context, &row, err);
}

/* The row at the start of the window cannot be read: delivers its first line as the fault and
 * continues after that line, or skips to its end when the line is longer than a row may be. */
static bool
deliver_broken(struct csv *csv, const struct window *w, struct scanned *at, struct err *err)
{
    scan_line(csv, &(struct window){w->p, w->end, true}, at);
    if ((size_t)(at->end - w->p) > CSV_ROW_BYTES_MAX) {
        csv->is_skipping = true;
        at->next = at->end;
        return deliver(csv, w->p, at, CSV_ROW_TOO_LONG, err);
    }
    csv->reread += (uint64_t)(w->end - at->next);
    return deliver(csv, w->p, at, CSV_UNCLOSED_QUOTE, err);
}

/* Reads the row at the start of the window.  `*next` is what follows the row, or the start of
 * the window when the row needs more bytes than the window has. */
static bool
read_row(struct csv *csv, struct window w, const char **next, struct err *err)
{
    bool is_full = (size_t)(w.end - w.p) >= WINDOW_BYTES_MAX;
    if ((size_t)(w.end - w.p) > WINDOW_BYTES_MAX) {
        w.end = w.p + WINDOW_BYTES_MAX;
        w.is_last = false;
    }
    struct scanned at;
    bool is_by_line = csv->reread > REREAD_BYTES_MAX;
    enum scan result = is_by_line ? scan_line(csv, &w, &at) : scan_row(csv, &w, &at);
    if (result == SCAN_MORE && !is_full)
        return true;
    bool is_whole = result == SCAN_ROW && (size_t)(at.end - w.p) <= CSV_ROW_BYTES_MAX;
    bool ok =
        is_whole ? deliver(csv, w.p, &at, CSV_OK, err) : deliver_broken(csv, &w, &at, err);
    *next = at.next;
    return ok;
}

static bool
read_next(struct csv *csv, const struct window *w, const char **next, struct err *err)
{
    *next = w->p;
    if (*w->p == '\r' && w->p + 1 == w->end && !w->is_last)
        return true;
    if (*w->p == '\r' || *w->p == '\n') {
        *next = skip_eol(w->p, w->end);
        csv->line++;
        csv->is_skipping = false;
        return true;
    }
    if (!csv->is_skipping)
        return read_row(csv, *w, next, err);
    *next = bytes_find_eol(w->p, w->end);
    return true;
}

/* Skips the BOM; false while there are too few bytes to decide. */
static bool
begin_file(struct csv *csv, struct window *w)
{
    struct str head = {w->p, MIN((size_t)(w->end - w->p), BOM.n)};
    if (head.n < BOM.n && !w->is_last && str_starts(BOM, head))
        return false;
    if (str_eq(head, BOM)) {
        w->p += BOM.n;
        csv->offset = BOM.n;
    }
    csv->is_begun = true;
    return true;
}

/* Reads the rows that are complete in the window; `*used` is how many bytes they took. */
static bool
read_window(struct csv *csv, struct str bytes, bool is_last, size_t *used, struct err *err)
{
    struct window w = {bytes.p, bytes.p + bytes.n, is_last};
    *used = 0;
    if (!csv->is_begun && !begin_file(csv, &w))
        return true;
    while (w.p < w.end) {
        const char *next;
        if (!read_next(csv, &w, &next, err))
            return false;
        if (next == w.p)
            break;
        csv->offset += (uint64_t)(next - w.p);
        w.p = next;
    }
    *used = (size_t)(w.p - bytes.p);
    return true;
}

static void
wait_for_more(struct csv *csv)
{
    csv->carry_ready = MIN(MAX(csv->carry.n * 2, CARRY_BYTES_MIN), WINDOW_BYTES_MAX);
}

/* Completes the carried row with bytes of `*chunk`, which is advanced past those that were
 * read. */
static bool
feed_carry(struct csv *csv, struct str *chunk, struct err *err)
{
    size_t taken = MIN(chunk->n, csv->carry_ready - csv->carry.n);
    buf_add(&csv->carry, str_slice(*chunk, 0, taken));
    size_t used = 0;
    if (csv->carry.n == csv->carry_ready &&
        !read_window(csv, buf_str(&csv->carry), false, &used, err))
        return false;
    size_t unread = csv->carry.n - used;
    if (unread <= taken) {
        /* All unread bytes came from this chunk: continue in the chunk, without a copy. */
        *chunk = str_skip(*chunk, taken - unread);
        buf_clear(&csv->carry);
        /* The memory that one stray quote needed is not kept for the rest of the file. */
        if (csv->carry.cap > CARRY_KEPT_BYTES_MAX)
            buf_free(&csv->carry);
        return true;
    }
    *chunk = str_skip(*chunk, taken);
    if (csv->carry.n == csv->carry_ready) {
        csv->carry.n = unread;
        memmove(csv->carry.p, csv->carry.p + used, unread);
        wait_for_more(csv);
    }
    return true;
}

bool
csv_feed(struct csv *csv, struct str chunk, struct err *err)
{
    while (chunk.n) {
        if (csv->carry.n) {
            if (!feed_carry(csv, &chunk, err))
                return false;
            continue;
        }
        size_t used;
        if (!read_window(csv, chunk, false, &used, err))
            return false;
        buf_add(&csv->carry, str_skip(chunk, used));
        wait_for_more(csv);
        return true;
    }
    return true;
}

bool
csv_finish(struct csv *csv, struct err *err)
{
    if (csv->carry.n == 0)
        return true;
    size_t used;
    bool ok = read_window(csv, buf_str(&csv->carry), true, &used, err);
    buf_clear(&csv->carry);
    return ok;
}
