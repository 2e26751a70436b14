#include "query/export.h"

#include "base/date.h"
#include "base/num.h"
#include "csv/csv.h"
#include "json/write.h"

static void
add_integral(struct buf *out, enum column_type type, int64_t v, const char *quote)
{
    switch (type) {
    case COLUMN_BOOLEAN:
        buf_add(out, v ? STR("true") : STR("false"));
        break;
    case COLUMN_DATE:
        buf_add(out, str_from(quote));
        date_add_day(out, v);
        buf_add(out, str_from(quote));
        break;
    case COLUMN_DATETIME:
        buf_add(out, str_from(quote));
        date_add_timestamp(out, v);
        buf_add(out, str_from(quote));
        break;
    case COLUMN_INTEGER:
    case COLUMN_REAL:
    case COLUMN_TEXT:
    case COLUMN_LIST:
        num_add_i64(out, v);
        break;
    }
}

/* `null` and `quote` are what the format writes for a null and around a day. */
static void
add_plain(struct buf *out, enum column_type type, const struct value *v, const char *null,
          const char *quote)
{
    if (v->is_null)
        buf_add(out, str_from(null));
    else if (type == COLUMN_REAL)
        num_add_f64(out, v->d);
    else
        add_integral(out, type, v->i, quote);
}

void
export_add_json_row(struct buf *out, const struct schema *schema, const struct query *query,
                    const struct value *row, const struct export_number *number)
{
    const char *before = "{\"";
    if (number) {
        buf_printf(out, "{\"%s\":%llu", number->name, (unsigned long long)number->row + 1);
        before = ",\"";
    }
    for (size_t i = 0; i < query->field_count; i++, before = ",\"") {
        const struct schema_column *column = &schema->columns[query->fields[i]];
        buf_add(out, str_from(before));
        buf_add(out, column->name); /* needs no escape */
        buf_add_lit(out, "\":");
        if (column->type == COLUMN_TEXT ||
            (column->type == COLUMN_LIST && query->lists_are_raw))
            json_add_quoted(out, row[i].text);
        else if (column->type == COLUMN_LIST) {
            buf_add_char(out, '[');
            for (size_t e = 0; e < row[i].element_count; e++) {
                if (e > 0)
                    buf_add_char(out, ',');
                json_add_quoted(out, row[i].elements[e]);
            }
            buf_add_char(out, ']');
        } else
            add_plain(out, column->type, &row[i], "null", "\"");
    }
    buf_add(out, *before == '{' ? STR("{}") : STR("}"));
}

/* A line with nothing on it is no row to most readers. */
static void
end_row(struct buf *out, const struct query *query, size_t row_start)
{
    if (query->field_count == 1 && out->n == row_start)
        buf_add_lit(out, "\"\"");
    buf_add_lit(out, "\r\n");
}

void
export_add_csv_header(struct buf *out, const struct schema *schema, const struct query *query,
                      bool is_raw)
{
    size_t start = out->n;
    bool keeps_blank = is_raw && schema_has_headers(schema);
    for (size_t i = 0; i < query->field_count; i++) {
        const struct schema_column *column = &schema->columns[query->fields[i]];
        if (i > 0)
            buf_add_char(out, ',');
        bool has_own = column->header.n > 0 || keeps_blank;
        csv_add_text(out, has_own ? column->header : column->name, is_raw);
    }
    end_row(out, query, start);
}

void
export_add_csv_row(struct buf *out, const struct schema *schema, const struct query *query,
                   const struct value *row, bool is_raw)
{
    size_t start = out->n;
    assert(query->lists_are_raw);
    for (size_t i = 0; i < query->field_count; i++) {
        enum column_type type = schema->columns[query->fields[i]].type;
        if (i > 0)
            buf_add_char(out, ',');
        if (column_type_is_textual(type))
            csv_add_text(out, row[i].text, is_raw);
        else
            add_plain(out, type, &row[i], "", "");
    }
    end_row(out, query, start);
}
