#include "query/query.h"

#include "base/num.h"
#include "base/utf8.h"
#include "query/filter_value.h"

#define TEXT_KEY_BYTES_MAX 1024

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

static bool
refuse_key(const struct schema_column *column, struct str key, struct err *err)
{
    return err_set_name(
        err, ERR_BAD_PARAMETER, NULL, STR("key"),
        "key: '%" STR_FMT "' is not %s, as the key column '%" STR_FMT "' has it",
        STR_ARG(str_slice(key, 0, 80)), filter_value_rule(column->type), STR_ARG(column->name));
}

bool
query_parse_key(const struct schema *schema, struct str text, struct value *out,
                struct err *err)
{
    if (schema->key_index == SCHEMA_ROW_NUMBER) {
        uint64_t n;
        if (!num_parse_u64(text, &n))
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("key"),
                                "key: '%" STR_FMT "' is not a row number",
                                STR_ARG(str_slice(text, 0, 80)));
        *out = (struct value){.i = (int64_t)n, .is_null = n < 1 || n > INT64_MAX};
        return true;
    }
    const struct schema_column *column = &schema->columns[schema->key_index];
    struct filter_span span;
    struct value key = {.text = text};
    if (column_type_is_textual(column->type)) {
        key.is_null = text.n > TEXT_KEY_BYTES_MAX || !utf8_is_valid(text);
    } else if (column->type == COLUMN_REAL) {
        if (!num_parse_f64(text, &key.d))
            return refuse_key(column, text, err);
    } else {
        if (!filter_read_span(column->type, text, &span) || span.lo != span.hi)
            return refuse_key(column, text, err);
        key.is_null = span.lo < INT64_MIN || span.lo > INT64_MAX;
        key.i = (int64_t)span.lo;
    }
    *out = key;
    return true;
}
