/* The dialect is found by trial: the parser reads the head of the text with each delimiter, and
 * the trial with the most regular rows wins.  A trial also records what the decision about the
 * header needs, so the head is not read again. */
#include "csv/detect.h"

#include "base/arena.h"
#include "base/num.h"

#include <stdlib.h>

#define HEAD_BYTES_MAX MIB
#define ROWS_MAX 200

/* In order of preference where two split equally well: decimal commas can be regular in a file
 * separated by semicolons, and tabs are rarely in a file by accident. */
static const char DELIMITERS[] = {'\t', ';', ',', '|'};

/* What the rows after the first have in a column. */
struct column_sample {
    struct str first;    /* the first row's cell */
    bool has_values;     /* some are not empty */
    bool has_non_number; /* some of those are not numbers */
    bool has_first;      /* some equal `first` */
};

struct trial {
    struct arena *arena;
    struct csv_dialect dialect;
    size_t row_count;
    uint32_t cell_counts[ROWS_MAX]; /* by row; 0 for a row at fault */
    struct column_sample *columns;
    size_t column_count;
    size_t regular_count; /* rows with the commonest cell count above 1 */
};

static bool
is_number(struct str cell)
{
    double unused;
    return num_parse_f64(str_trim(cell), &unused);
}

static void
note_lower_row(struct trial *t, const struct csv_row *row)
{
    size_t n = MIN(row->cell_count, t->column_count), same = 0;
    for (size_t i = 0; i < n; i++)
        same += str_eq(str_trim(row->cells[i]), t->columns[i].first);
    /* Ignored: a repetition of the first row (concatenated files repeat the header), and a row
     * of another width (it is broken). */
    if (same == t->column_count || row->cell_count != t->column_count)
        return;
    for (size_t i = 0; i < n; i++) {
        struct str cell = str_trim(row->cells[i]);
        struct column_sample *c = &t->columns[i];
        if (cell.n == 0)
            continue;
        c->has_values = true;
        c->has_non_number |= !is_number(cell);
        c->has_first |= str_eq(cell, c->first);
    }
}

static bool
note_row(void *context, const struct csv_row *row, struct err *err UNUSED)
{
    struct trial *t = context;
    if (t->row_count == ROWS_MAX)
        return true;
    t->cell_counts[t->row_count] = row->fault ? 0 : (uint32_t)row->cell_count;
    if (t->row_count++ == 0) {
        t->column_count = row->cell_count;
        t->columns = arena_array(t->arena, row->cell_count, struct column_sample);
        for (size_t i = 0; i < row->cell_count; i++)
            t->columns[i].first = arena_str(t->arena, str_trim(row->cells[i]));
    } else if (!row->fault)
        note_lower_row(t, row);
    return true;
}

static int
compare_counts(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void
count_regular(struct trial *t)
{
    uint32_t sorted[ROWS_MAX];
    for (size_t i = 0; i < t->row_count; i++)
        sorted[i] = t->cell_counts[i];
    qsort(sorted, t->row_count, sizeof(sorted[0]), compare_counts);
    for (size_t i = 0, run = 0; i < t->row_count; i++) {
        run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
        if (sorted[i] > 1)
            t->regular_count = MAX(t->regular_count, run);
    }
}

/* How many cells `quote` opens and closes, judged by the bytes beside it. */
static size_t
count_quoted(struct str head, char delimiter, char quote)
{
    size_t opened = 0, closed = 0;
    for (size_t i = 0; i < head.n; i++) {
        if (head.p[i] != quote)
            continue;
        char before = i > 0 ? head.p[i - 1] : '\n';
        char after = i + 1 < head.n ? head.p[i + 1] : '\n';
        opened += before == delimiter || before == '\n' || before == '\r';
        closed += after == delimiter || after == '\n' || after == '\r';
    }
    return MIN(opened, closed);
}

static char
detect_quote(struct str head, char delimiter)
{
    bool is_single = delimiter != '\'' && count_quoted(head, delimiter, '"') == 0 &&
                     count_quoted(head, delimiter, '\'') > 0;
    return is_single || delimiter == '"' ? '\'' : '"';
}

static bool
is_more_regular(const struct trial *a, const struct trial *b)
{
    return a->regular_count * b->row_count > b->regular_count * a->row_count;
}

static bool
detect_header(const struct trial *t)
{
    bool has_data = false;
    for (size_t i = 0; i < t->column_count; i++) {
        const struct column_sample *c = &t->columns[i];
        bool is_over_numbers = c->has_values && !c->has_non_number;
        bool is_text = c->first.n && !is_number(c->first);
        if (is_text && is_over_numbers)
            return true;
        bool is_lonely_number = c->first.n && !is_text && (is_over_numbers || !c->has_values);
        has_data |= is_lonely_number || (c->first.n && c->has_first);
    }
    return !has_data;
}

static struct trial *
try_delimiter(struct arena *a, struct str head, bool is_whole, char delimiter,
              const struct csv_hints *hints)
{
    struct trial *t = arena_new(a, struct trial);
    t->arena = a;
    t->dialect.delimiter = delimiter;
    t->dialect.quote =
        hints->knows_quote ? hints->dialect.quote : detect_quote(head, delimiter);
    /* Happens only when both were given: splitting is then more useful than quoting. */
    if (t->dialect.quote == delimiter)
        t->dialect.quote = '\0';
    scoped_csv csv = csv_open(t->dialect, note_row, t);
    struct err err = {0};
    bool ok = csv_feed(csv, head, &err);
    /* The last row of a truncated head is truncated too, and left out unless it is the only
     * one. */
    if (is_whole || t->row_count == 0)
        ok = ok && csv_finish(csv, &err);
    assert(ok); /* note_row never fails */
    count_regular(t);
    return t;
}

static char
fallback_delimiter(const struct csv_hints *hints)
{
    if (hints->knows_delimiter)
        return hints->dialect.delimiter;
    return hints->knows_quote && hints->dialect.quote == ',' ? ';' : ',';
}

struct csv_dialect
csv_detect_dialect(struct str head, const struct csv_hints *hints)
{
    scoped_arena a = {0};
    if (str_starts(head, STR("\xef\xbb\xbf")))
        head = str_skip(head, 3);
    bool is_whole = head.n <= HEAD_BYTES_MAX;
    head = str_slice(head, 0, HEAD_BYTES_MAX);
    struct trial *best = NULL;
    for (size_t i = 0; i < COUNT_OF(DELIMITERS) && !hints->knows_delimiter; i++) {
        if (hints->knows_quote && hints->dialect.quote == DELIMITERS[i])
            continue;
        struct trial *t = try_delimiter(&a, head, is_whole, DELIMITERS[i], hints);
        bool is_candidate = t->regular_count * 2 > t->row_count;
        if (is_candidate && (!best || is_more_regular(t, best)))
            best = t;
    }
    if (!best)
        best = try_delimiter(&a, head, is_whole, fallback_delimiter(hints), hints);
    best->dialect.has_header =
        hints->knows_header ? hints->dialect.has_header : detect_header(best);
    return best->dialect;
}
