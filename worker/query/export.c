/* Numbers, days and list elements come from the mapped columns file, which is
 * why a page without text never touches SQLite; the original bytes of text are in rows.db.
 * Nothing is allocated per row, so an export of any length runs in the memory of its buf. */
#include "query/export.h"

#include "base/date.h"
#include "base/num.h"
#include "csv/csv.h"
#include "json/write.h"

static bool
has_text(enum column_type type, bool lists_are_raw)
{
    return type == COLUMN_TEXT || (type == COLUMN_LIST && lists_are_raw);
}

/* Fills scratch.values, in the order of the fields, with the original text of those that are
 * written as such.  Each text read is copied by SQLite, which is why lists are left out where
 * their elements are written. */
static bool
read_texts(const struct version *version, const struct query *query, uint64_t row,
           bool lists_are_raw, struct err *err)
{
    size_t *wanted = version->scratch.wanted;
    size_t count = 0;
    for (size_t i = 0; i < query->field_count; i++)
        if (has_text(version->schema.columns[query->fields[i]].type, lists_are_raw))
            wanted[count++] = query->fields[i];
    if (count == 0)
        return true;
    int got = rows_get(version->rows, row + 1, wanted, count, version->scratch.values, err);
    if (got == 0)
        return err_set_code(err, ERR_BUSY, "index_damaged", "row %llu is not in rows.db",
                            (unsigned long long)row + 1);
    return got == 1;
}

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
add_plain(struct buf *out, const struct column *c, uint64_t row, const char *null,
          const char *quote)
{
    if (column_is_null(c, row))
        buf_add(out, str_from(null));
    else if (c->type == COLUMN_REAL)
        num_add_f64(out, c->reals[row]);
    else
        add_integral(out, c->type, c->ints[row], quote);
}

static void
add_elements(struct buf *out, const struct column *c, uint64_t row)
{
    size_t count;
    const uint32_t *ids = column_element_ids(c, row, &count);
    buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        json_add_quoted(out, column_element(c, ids[i]));
    }
    buf_add_char(out, ']');
}

bool
export_add_json_row(struct buf *out, const struct version *version, const struct query *query,
                    uint64_t row, bool lists_are_raw, const char *row_id_name, struct err *err)
{
    const struct value *text = version->scratch.values;
    const char *before = "{\"";
    if (!read_texts(version, query, row, lists_are_raw, err))
        return false;
    if (row_id_name) {
        buf_printf(out, "{\"%s\":%llu", row_id_name, (unsigned long long)row + 1);
        before = ",\"";
    }
    for (size_t i = 0; i < query->field_count; i++, before = ",\"") {
        const struct column *c = &version->columns.columns[query->fields[i]];
        buf_add(out, str_from(before));
        buf_add(out, version->schema.columns[query->fields[i]].name); /* needs no escape */
        buf_add_lit(out, "\":");
        if (has_text(c->type, lists_are_raw))
            json_add_quoted(out, text++->text);
        else if (c->type == COLUMN_LIST)
            add_elements(out, c, row);
        else
            add_plain(out, c, row, "null", "\"");
    }
    buf_add(out, *before == '{' ? STR("{}") : STR("}"));
    return true;
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
export_add_csv_header(struct buf *out, const struct version *version, const struct query *query,
                      bool is_raw)
{
    size_t start = out->n;
    bool keeps_blank = is_raw && schema_has_headers(&version->schema);
    for (size_t i = 0; i < query->field_count; i++) {
        const struct schema_column *column = &version->schema.columns[query->fields[i]];
        if (i > 0)
            buf_add_char(out, ',');
        bool has_own = column->header.n > 0 || keeps_blank;
        csv_add_text(out, has_own ? column->header : column->name, is_raw);
    }
    end_row(out, query, start);
}

bool
export_add_csv_row(struct buf *out, const struct version *version, const struct query *query,
                   uint64_t row, bool is_raw, struct err *err)
{
    const struct value *text = version->scratch.values;
    size_t start = out->n;
    if (!read_texts(version, query, row, true, err))
        return false;
    for (size_t i = 0; i < query->field_count; i++) {
        const struct column *c = &version->columns.columns[query->fields[i]];
        if (i > 0)
            buf_add_char(out, ',');
        if (column_type_is_textual(c->type))
            csv_add_text(out, text++->text, is_raw);
        else
            add_plain(out, c, row, "", "");
    }
    end_row(out, query, start);
    return true;
}
