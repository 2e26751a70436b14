/* Filter to a set, count it, put the page's rows in order.  Without a sort the
 * order is the rows' own, and a page is found by counting bits. */
#include "embedded/order.h"

static bool
refuse_name(const struct schema *schema, const char *param, struct str name, struct err *err)
{
    /* "price desc" and "price:desc", as SQL and others write it. */
    size_t end = 0;
    while (end < name.n && name.p[end] != ' ' && name.p[end] != ':')
        end++;
    struct str head = str_slice(name, 0, end);
    if (str_eq_ascii_nocase(str_skip(name, end + 1), STR("desc")) &&
        schema_find(schema, head, NULL))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(param),
                            "%s: there is no column '%" STR_FMT "'; did you mean '-%" STR_FMT
                            "'?",
                            param, STR_ARG(str_slice(name, 0, 80)), STR_ARG(head));
    struct suggestion near = schema_suggest(schema, name);
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(param),
                        "%s: there is no column '%" STR_FMT "'%s", param,
                        STR_ARG(str_slice(name, 0, 80)), suggest_text(&near));
}

bool
query_parse_sort(const struct schema *schema, struct str text, struct query *out,
                 struct err *err)
{
    struct query query = *out;
    query.sort_count = 0;
    if (text.n == 0)
        text.p = NULL; /* nothing to cut, not one empty name */
    while (text.p) {
        struct str name = str_trim(str_cut(&text, ','));
        bool is_descending = str_starts(name, STR("-"));
        size_t column;
        if (is_descending)
            name = str_skip(name, 1);
        if (!schema_find(schema, name, &column))
            return refuse_name(schema, "sort", name, err);
        if (query.sort_count == QUERY_SORT_KEYS_MAX)
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("sort"),
                                "sort: at most %d columns", QUERY_SORT_KEYS_MAX);
        query.sort[query.sort_count].column = column;
        query.sort[query.sort_count++].is_descending = is_descending;
    }
    *out = query;
    return true;
}

static bool
has_field(const size_t *fields, size_t count, size_t column)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i] == column)
            return true;
    return false;
}

bool
query_parse_fields(struct arena *a, const struct schema *schema, struct str text,
                   struct query *out, struct err *err)
{
    size_t *fields = arena_array(a, schema->column_count, size_t);
    size_t count = 0;
    if (text.n == 0) {
        text.p = NULL;
        for (; count < schema->column_count; count++)
            fields[count] = count;
    }
    while (text.p) {
        struct str name = str_trim(str_cut(&text, ','));
        size_t column;
        if (!schema_find(schema, name, &column))
            return refuse_name(schema, "fields", name, err);
        if (!has_field(fields, count, column)) /* named twice, shown once */
            fields[count++] = column;
    }
    out->fields = fields;
    out->field_count = count;
    return true;
}

static void
take_in_row_order(const struct bitmap *rows, uint64_t offset, struct query_result *out)
{
    uint64_t row = bitmap_nth(rows, offset);
    for (size_t i = 0; i < out->row_count; i++) {
        out->rows[i] = row;
        row = bitmap_next(rows, row + 1);
    }
}

static void
take_sorted(struct arena *a, const struct query *query, const struct version *version,
            const struct bitmap *rows, uint64_t offset, struct query_result *out)
{
    struct order order = order_of(query, version);
    out->rows = arena_array(a, out->row_count, uint64_t);
    order_take_page(&order, rows, out->total, (size_t)offset, out->row_count, out->rows);
}

bool
query_run(struct arena *a, const struct query *query, const struct version *version,
          uint64_t deadline_us, struct query_result *out, struct err *err)
{
    struct bitmap rows;
    if (!filter_run(a, query->filter, version, deadline_us, &rows, err))
        return false;
    struct query_result result = {.total = bitmap_count(&rows)};
    uint64_t offset = MIN(query->offset, result.total);
    uint64_t left = result.total - offset;
    result.row_count = (size_t)(query->limit == 0 ? left : MIN(left, query->limit));
    result.has_more = result.row_count < left;
    if (query->sort_count > 0) {
        take_sorted(a, query, version, &rows, offset, &result);
    } else {
        result.rows = arena_array(a, result.row_count, uint64_t);
        take_in_row_order(&rows, offset, &result);
    }
    *out = result;
    return true;
}
