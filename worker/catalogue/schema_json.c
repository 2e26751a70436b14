/* A schema as the catalogue keeps it.  Members that have their default are left out, except
 * those a reader of the API wants to see. */
#include "catalogue/schema.h"

#include "json/read.h"
#include "json/write.h"

static void
add_strings(struct json *j, const char *key, const struct str *strings, size_t count)
{
    json_key(j, key);
    json_begin_array(j);
    for (size_t i = 0; i < count; i++)
        json_str(j, strings[i]);
    json_end_array(j);
}

static void
add_index(struct json *j, const char *key, size_t index)
{
    if (index != SCHEMA_ROW_NUMBER)
        json_member_u64(j, key, index);
}

static void
add_column(struct json *j, const struct schema_column *column)
{
    json_begin_object(j);
    json_member_str(j, "name", column->name);
    json_member_str(j, "header", column->header);
    json_member_str(j, "type", str_from(column_type_name(column->type)));
    json_member_bool(j, "measure", column->is_measure);
    json_member_bool(j, "similar", column->is_similar);
    if (column->format_count)
        add_strings(j, "formats", column->formats, column->format_count);
    if (column->list_join_count)
        add_strings(j, "list_join", column->list_join, column->list_join_count);
    if (column->decimal == ',')
        json_member_str(j, "decimal", STR(","));
    if (column->offset_ms)
        json_member_i64(j, "offset_ms", column->offset_ms);
    json_end_object(j);
}

void
schema_add_json(struct buf *out, const struct schema *schema)
{
    struct json j = json_write(out);
    json_begin_object(&j);
    json_key(&j, "columns");
    json_begin_array(&j);
    for (size_t i = 0; i < schema->column_count; i++)
        add_column(&j, &schema->columns[i]);
    json_end_array(&j);
    add_index(&j, "key", schema->key_index);
    add_index(&j, "title", schema->title_index);
    add_index(&j, "date", schema->date_index);
    json_member_bool(&j, "declared", schema->is_declared);
    add_strings(&j, "nulls", schema->nulls, schema->null_count);
    json_end_object(&j);
}

static bool
damaged(const char *what, struct err *err)
{
    return err_set(err, ERR_INTERNAL, "the stored schema has a bad member '%s'", what);
}

static bool
read_strings(struct arena *a, const struct json_value *object, const char *key,
             struct str **out, size_t *out_count, struct err *err)
{
    const struct json_value *array = json_get(object, key);
    *out = NULL;
    *out_count = 0;
    if (!array)
        return true;
    if (array->kind != JSON_ARRAY)
        return damaged(key, err);
    *out = arena_array(a, array->child_count, struct str);
    *out_count = array->child_count;
    for (size_t i = 0; i < array->child_count; i++)
        if (!json_as_str(&array->children[i], &(*out)[i]))
            return damaged(key, err);
    return true;
}

static bool
read_flag(const struct json_value *object, const char *key)
{
    const struct json_value *v = json_get(object, key);
    return v && v->kind == JSON_BOOL && v->boolean;
}

static bool
read_column(struct arena *a, const struct json_value *from, struct schema_column *column,
            struct err *err)
{
    const struct json_value *offset = json_get(from, "offset_ms");
    struct str type, decimal = STR(".");
    if (!json_as_str(json_get(from, "name"), &column->name))
        return damaged("name", err);
    if (!json_as_str(json_get(from, "header"), &column->header))
        return damaged("header", err);
    if (!json_as_str(json_get(from, "type"), &type) || !column_type_parse(type, &column->type))
        return damaged("type", err);
    if (json_get(from, "decimal") && !json_as_str(json_get(from, "decimal"), &decimal))
        return damaged("decimal", err);
    if (offset && !json_as_i64(offset, &column->offset_ms))
        return damaged("offset_ms", err);
    column->decimal = str_eq(decimal, STR(",")) ? ',' : '.';
    column->is_measure = read_flag(from, "measure");
    column->is_similar = read_flag(from, "similar");
    return read_strings(a, from, "formats", &column->formats, &column->format_count, err) &&
           read_strings(a, from, "list_join", &column->list_join, &column->list_join_count,
                        err);
}

static bool
read_index(const struct json_value *object, const char *key, size_t column_count, size_t *out,
           struct err *err)
{
    const struct json_value *v = json_get(object, key);
    int64_t index;
    *out = SCHEMA_ROW_NUMBER;
    if (!v)
        return true;
    if (!json_as_i64(v, &index) || index < 0 || (uint64_t)index >= column_count)
        return damaged(key, err);
    *out = (size_t)index;
    return true;
}

/* Of a dataset that nobody declared: the first text column that is called so.  Not stored, so
 * that it holds for versions of before too. */
static size_t
guess_title(const struct schema *schema)
{
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct schema_column *column = &schema->columns[i];
        if (column->type == COLUMN_TEXT &&
            (str_eq(column->name, STR("name")) || str_eq(column->name, STR("title"))))
            return i;
    }
    return SCHEMA_ROW_NUMBER;
}

bool
schema_parse_json(struct arena *a, struct str text, struct schema *out, struct err *err)
{
    const struct json_value *root;
    if (!json_read(a, text, &root, err))
        return false;
    const struct json_value *columns = json_get(root, "columns");
    if (!columns || columns->kind != JSON_ARRAY)
        return damaged("columns", err);
    struct schema schema = {
        .columns = arena_array(a, columns->child_count, struct schema_column),
        .column_count = columns->child_count,
        .is_declared = read_flag(root, "declared"),
    };
    for (size_t i = 0; i < schema.column_count; i++)
        if (!read_column(a, &columns->children[i], &schema.columns[i], err))
            return false;
    if (!read_index(root, "key", schema.column_count, &schema.key_index, err) ||
        !read_index(root, "title", schema.column_count, &schema.title_index, err) ||
        !read_index(root, "date", schema.column_count, &schema.date_index, err) ||
        !read_strings(a, root, "nulls", &schema.nulls, &schema.null_count, err))
        return false;
    if (!schema.is_declared)
        schema.title_index = guess_title(&schema);
    *out = schema;
    return true;
}
