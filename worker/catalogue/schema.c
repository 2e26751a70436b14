/* This file owns what a schema is: names, lookups and the way from the YAML.
 * Cells are schema_cell.c's, list elements schema_list.c's, the catalogue's JSON
 * schema_json.c's.
 */
#include "catalogue/schema.h"

#include "base/date.h"
#include "base/utf8.h"

#include <string.h>

static const struct str DEFAULT_NULLS[] = {
    STR_INIT("NA"),  STR_INIT("N/A"), STR_INIT("NULL"), STR_INIT("null"),
    STR_INIT("NaN"), STR_INIT("nan"), STR_INIT("\\N"),
};

const struct str *
schema_default_nulls(size_t *count)
{
    *count = COUNT_OF(DEFAULT_NULLS);
    return DEFAULT_NULLS;
}

static bool
is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

bool
schema_dataset_name_is_valid(struct str name)
{
    if (name.n == 0 || name.n > DATASET_NAME_BYTES_MAX || name.p[0] < 'a' || name.p[0] > 'z')
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!is_name_char(name.p[i]))
            return false;
    return true;
}

const struct schema_column *
schema_find(const struct schema *schema, struct str name, size_t *out_index)
{
    for (size_t i = 0; i < schema->column_count; i++) {
        if (!str_eq(schema->columns[i].name, name))
            continue;
        if (out_index)
            *out_index = i;
        return &schema->columns[i];
    }
    return NULL;
}

bool
schema_has_headers(const struct schema *schema)
{
    for (size_t i = 0; i < schema->column_count; i++)
        if (schema->columns[i].header.n)
            return true;
    return false;
}

struct suggestion
schema_suggest(const struct schema *schema, struct str name)
{
    struct suggestion near = suggest_begin(name);
    for (size_t i = 0; i < schema->column_count; i++) {
        struct synonym header = {schema->columns[i].header, schema->columns[i].name};
        suggest_synonyms(&near, &header, 1);
        suggest_offer(&near, schema->columns[i].name);
    }
    return near;
}

struct str
schema_fold_header(struct arena *a, struct str header)
{
    scoped_buf folded;
    buf_init(&folded, header.n * 3 / 2 + 4);
    if (utf8_is_valid(header))
        utf8_fold(&folded, header);
    else
        buf_add(&folded, header);
    size_t n = 0;
    for (size_t i = 0; i < folded.n; i++)
        if (!strchr(" \t\r\n\v\f_", folded.p[i]) || folded.p[i] == '\0')
            folded.p[n++] = folded.p[i];
    return arena_str(a, (struct str){folded.p, n});
}

/* Latin letters lose their marks; letters and digits of ASCII stay, an upper-case letter behind
 * a lower-case one begins a word, everything else separates words. */
static struct str
snake_case(struct arena *a, struct str header)
{
    header = utf8_without_marks(a, header);
    char *out = arena_alloc(a, header.n * 2 + 3);
    size_t n = 0;
    bool is_gap = false;
    for (size_t i = 0; i < header.n && n < DATASET_NAME_BYTES_MAX - 1; i++) {
        char c = header.p[i];
        bool is_upper = c >= 'A' && c <= 'Z';
        bool follows_lower = i && header.p[i - 1] >= 'a' && header.p[i - 1] <= 'z';
        char lower = is_upper ? (char)(c | 32) : c;
        if (!is_name_char(lower) || lower == '_') {
            is_gap = true;
            continue;
        }
        if (n && (is_gap || (is_upper && follows_lower)))
            out[n++] = '_';
        if (n == 0 && lower >= '0' && lower <= '9') {
            out[n++] = 'c';
            out[n++] = '_';
        }
        out[n++] = lower;
        is_gap = false;
    }
    return (struct str){out, n};
}

struct str
schema_make_name(struct arena *a, struct str header, struct map *taken)
{
    struct str base = snake_case(a, header);
    if (base.n == 0)
        base = arena_printf(a, "column_%zu", taken->count + 1);
    struct str name = base;
    /* A name's value is the suffix that is tried next: what was taken stays taken. */
    for (size_t *suffix = map_get(taken, base); !map_put(taken, name, 2); ++*suffix)
        name = arena_printf(a, "%" STR_FMT "_%zu", STR_ARG(base), *suffix);
    return name;
}

static bool
column_from_config(struct arena *a, const struct config_column *from,
                   struct schema_column *column, struct err *err)
{
    *column = (struct schema_column){
        .name = from->name,
        .header = from->header.n ? from->header : from->name,
        .is_measure = from->is_measure,
        .is_similar = from->is_similar,
        .formats = from->formats,
        .format_count = from->format_count,
        .list_join = arena_array(a, from->list_join_count, struct str),
        .list_join_count = from->list_join_count,
        .decimal = '.',
    };
    /* Suffixes are compared folded; those of the YAML come as written. */
    for (size_t i = 0; i < from->list_join_count; i++)
        column->list_join[i] = utf8_folded(a, from->list_join[i]);
    if (!schema_dataset_name_is_valid(from->name))
        return err_set_name(err, ERR_INVALID, NULL, from->name,
                            "line %u: a column name is [a-z][a-z0-9_]{0,62}, got '%" STR_FMT
                            "'",
                            from->line, STR_ARG(from->name));
    if (!column_type_parse(from->type, &column->type))
        return err_set_name(
            err, ERR_INVALID, NULL, from->name,
            "line %u: the type of column %" STR_FMT
            " is one of integer, real, boolean, date, datetime, text, list, got "
            "'%" STR_FMT "'",
            from->line, STR_ARG(from->name), STR_ARG(from->type));
    if (from->is_measure && column_type_is_textual(column->type))
        return err_set_name(err, ERR_INVALID, NULL, from->name,
                            "line %u: column %" STR_FMT " is %s and cannot be a measure",
                            from->line, STR_ARG(from->name), column_type_name(column->type));
    return true;
}

static bool
note_role(size_t *role, bool applies, size_t index, const char *word,
          const struct config_column *column, struct err *err)
{
    if (!applies)
        return true;
    if (*role != SCHEMA_ROW_NUMBER)
        return err_set_name(err, ERR_INVALID, NULL, column->name,
                            "line %u: column %" STR_FMT " is a second %s; there is at most one",
                            column->line, STR_ARG(column->name), word);
    *role = index;
    return true;
}

static bool
note_roles(struct schema *schema, const struct config_column *from, size_t i, struct err *err)
{
    for (size_t j = 0; j < i; j++)
        if (str_eq(schema->columns[j].name, from->name))
            return err_set_name(err, ERR_INVALID, NULL, from->name,
                                "line %u: column %" STR_FMT " is declared twice", from->line,
                                STR_ARG(from->name));
    if (from->is_default_date && schema->columns[i].type != COLUMN_DATE &&
        schema->columns[i].type != COLUMN_DATETIME)
        return err_set_name(err, ERR_INVALID, NULL, from->name,
                            "line %u: the default date column %" STR_FMT
                            " must be of type date or datetime",
                            from->line, STR_ARG(from->name));
    return note_role(&schema->key_index, from->is_key, i, "key", from, err) &&
           note_role(&schema->title_index, from->is_title, i, "title", from, err) &&
           note_role(&schema->date_index, from->is_default_date, i, "default date", from, err);
}

bool
schema_from_config(struct arena *a, const struct config_dataset *declared, struct schema *out,
                   struct err *err)
{
    struct schema schema = {
        .columns = arena_array(a, declared->column_count, struct schema_column),
        .column_count = declared->column_count,
        .key_index = SCHEMA_ROW_NUMBER,
        .title_index = SCHEMA_ROW_NUMBER,
        .date_index = SCHEMA_ROW_NUMBER,
        .is_declared = true,
        .nulls = arena_array(a, COUNT_OF(DEFAULT_NULLS), struct str),
        .null_count = COUNT_OF(DEFAULT_NULLS),
    };
    memcpy(schema.nulls, DEFAULT_NULLS, sizeof(DEFAULT_NULLS));
    int64_t offset_ms;
    if (!date_parse_zone(declared->time_zone, &offset_ms))
        return err_set_name(err, ERR_INVALID, NULL, declared->name,
                            "line %u: time_zone is UTC or an offset like +02:00, got '%" STR_FMT
                            "'",
                            declared->line, STR_ARG(declared->time_zone));
    for (size_t i = 0; i < declared->column_count; i++) {
        const struct config_column *from = &declared->columns[i];
        if (!column_from_config(a, from, &schema.columns[i], err) ||
            !note_roles(&schema, from, i, err))
            return false;
        schema.columns[i].offset_ms = offset_ms;
    }
    *out = schema;
    return true;
}

size_t
schema_similar_columns(struct arena *a, const struct schema *schema, size_t **out)
{
    size_t count = 0;
    *out = arena_array(a, schema->column_count, size_t);
    for (size_t i = 0; i < schema->column_count; i++)
        if (schema->columns[i].is_similar && column_type_is_textual(schema->columns[i].type))
            (*out)[count++] = i;
    return count;
}
