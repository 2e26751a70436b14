/* One CSV cell becomes a value, by the rules of its column's type.  Blanks around a cell mean
 * nothing except in text and list columns, where every byte is kept. */
#include "catalogue/schema.h"

#include "base/date.h"
#include "base/num.h"

/* Enough of a bad cell to recognise it by. */
#define SHOWN_BYTES_MAX 80

static bool
is_null_word(const struct schema *schema, struct str cell)
{
    for (size_t i = 0; i < schema->null_count; i++)
        if (str_eq(cell, schema->nulls[i]))
            return true;
    return false;
}

bool
schema_cell_is_null(const struct schema *schema, struct str cell)
{
    cell = str_trim(cell);
    return cell.n == 0 || is_null_word(schema, cell);
}

static bool
refuse_cell(struct str cell, const char *rule, struct err *err)
{
    struct str shown = str_slice(cell, 0, SHOWN_BYTES_MAX);
    return err_set_code(err, ERR_INVALID, "bad_value", "'%" STR_FMT "%s' is not %s",
                        STR_ARG(shown), shown.n < cell.n ? "..." : "", rule);
}

/* With the column's decimal sign turned into a dot.  A dot is refused where the sign is a
 * comma: 1.234 would be a thousand to the writer of such a file. */
static bool
with_dot(struct str *s, char decimal, char small[64])
{
    if (decimal != ',')
        return true;
    if (str_find_char(*s, '.') >= 0 || s->n > 64)
        return false;
    for (size_t i = 0; i < s->n; i++)
        small[i] = s->p[i] == ',' ? '.' : s->p[i];
    s->p = small;
    return true;
}

/* 98.0 is 98: spreadsheets write whole numbers so where a column has gaps. */
static struct str
without_zero_fraction(struct str s)
{
    ptrdiff_t dot = str_find_char(s, '.');
    if (dot <= 0)
        return s;
    for (size_t i = (size_t)dot + 1; i < s.n; i++)
        if (s.p[i] != '0')
            return s;
    return str_slice(s, 0, (size_t)dot);
}

static bool
parse_integer(const struct schema_column *column, struct str cell, struct value *out,
              struct err *err)
{
    char small[64];
    struct str s = cell;
    if (with_dot(&s, column->decimal, small) &&
        num_parse_i64(without_zero_fraction(s), &out->i))
        return true;
    return refuse_cell(cell, "an integer from -2^63 to 2^63-1", err);
}

static bool
parse_real(const struct schema_column *column, struct str cell, struct value *out,
           struct err *err)
{
    char small[64];
    struct str s = cell;
    if (with_dot(&s, column->decimal, small) && num_parse_f64(s, &out->d))
        return true;
    return refuse_cell(
        cell, column->decimal == ',' ? "a number with a decimal comma" : "a finite number",
        err);
}

static bool
parse_boolean(struct str cell, struct value *out, struct err *err)
{
    bool is_true =
        str_eq_ascii_nocase(cell, STR("true")) || str_eq_ascii_nocase(cell, STR("yes"));
    out->i = is_true;
    if (is_true || str_eq_ascii_nocase(cell, STR("false")) ||
        str_eq_ascii_nocase(cell, STR("no")))
        return true;
    return refuse_cell(cell, "true, false, yes or no", err);
}

static bool
parse_date(const struct schema_column *column, struct str cell, struct value *out,
           struct err *err)
{
    for (size_t i = 0; i < column->format_count; i++)
        if (date_parse_format(cell, column->formats[i], &out->i))
            return true;
    if (date_parse_iso(cell, &out->i))
        return true;
    return refuse_cell(cell,
                       column->format_count ? "a date in one of the column's formats"
                                            : "a date like 2026-01-31",
                       err);
}

/* Ends in Z or +hh:mm. */
static bool
has_zone(struct str s)
{
    if (s.n && (s.p[s.n - 1] | 32) == 'z')
        return true;
    return s.n > 16 && s.p[s.n - 3] == ':' && (s.p[s.n - 6] == '+' || s.p[s.n - 6] == '-');
}

static bool
parse_datetime(const struct schema_column *column, struct str cell, struct value *out,
               struct err *err)
{
    int64_t day;
    if (date_parse_iso(cell, &day)) {
        out->i = day * DATE_MS_PER_DAY - column->offset_ms;
        return true;
    }
    if (!date_parse_timestamp(cell, &out->i))
        return refuse_cell(cell, "a date and time like 2026-01-31T08:00:00Z", err);
    if (!has_zone(cell))
        out->i -= column->offset_ms;
    return true;
}

bool
schema_parse_cell(struct arena *a, const struct schema *schema, size_t index, struct str cell,
                  struct value *out, struct err *err)
{
    const struct schema_column *column = &schema->columns[index];
    struct value v = {0};
    if (column_type_is_textual(column->type)) {
        v.text = cell;
        if (column->type == COLUMN_LIST) {
            struct str *elements;
            schema_split_list(a, column, cell, &elements, &v.element_count);
            v.elements = elements;
        }
        *out = v;
        return true;
    }
    cell = str_trim(cell);
    if (cell.n == 0 || is_null_word(schema, cell)) {
        *out = (struct value){.is_null = true};
        return true;
    }
    bool ok = false;
    switch (column->type) {
    case COLUMN_INTEGER:
        ok = parse_integer(column, cell, &v, err);
        break;
    case COLUMN_REAL:
        ok = parse_real(column, cell, &v, err);
        break;
    case COLUMN_BOOLEAN:
        ok = parse_boolean(cell, &v, err);
        break;
    case COLUMN_DATE:
        ok = parse_date(column, cell, &v, err);
        break;
    case COLUMN_DATETIME:
        ok = parse_datetime(column, cell, &v, err);
        break;
    case COLUMN_TEXT:
    case COLUMN_LIST:
        break;
    }
    if (ok)
        *out = v;
    return ok;
}
