/* Declared datasets:
 *
 *     datasets:
 *       NAME:
 *         public: BOOL      time_zone: TEXT
 *         columns:
 *           - {name: NAME, type: TYPE, header: TEXT, aliases: LIST, formats: LIST,
 *              list_join: LIST, key: BOOL, title: BOOL, measure: BOOL, similar: BOOL,
 *              default_date: BOOL}
 *
 * The keys of a column are rows of a table.  Whether types, names and flags are consistent is
 * checked by schema_from_config. */
#include "base/date.h"
#include "base/value.h"
#include "config/sections.h"
#include "config/setting.h"

enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_LIST };

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset, count_offset;
};

#define COLUMN_TEXT(key, member)                                                               \
    {                                                                                          \
        key, FIELD_TEXT, offsetof(struct config_column, member), 0                             \
    }
#define COLUMN_BOOL(key, member)                                                               \
    {                                                                                          \
        key, FIELD_BOOL, offsetof(struct config_column, member), 0                             \
    }
#define COLUMN_LIST_OF(key, member, count)                                                     \
    {                                                                                          \
        key, FIELD_LIST, offsetof(struct config_column, member),                               \
            offsetof(struct config_column, count)                                              \
    }
static const struct field COLUMN_FIELDS[] = {
    COLUMN_TEXT("name", name),
    COLUMN_TEXT("header", header),
    COLUMN_TEXT("type", type),
    COLUMN_LIST_OF("aliases", aliases, alias_count),
    COLUMN_LIST_OF("formats", formats, format_count),
    COLUMN_LIST_OF("list_join", list_join, list_join_count),
    COLUMN_BOOL("key", is_key),
    COLUMN_BOOL("title", is_title),
    COLUMN_BOOL("measure", is_measure),
    COLUMN_BOOL("similar", is_similar),
    COLUMN_BOOL("default_date", is_default_date),
};
static const struct field DATASET_FIELDS[] = {
    {"public", FIELD_BOOL, offsetof(struct config_dataset, is_public), 0},
    {"time_zone", FIELD_TEXT, offsetof(struct config_dataset, time_zone), 0},
};

static bool
read_field(struct arena *a, struct str file, const struct field *field,
           const struct yaml_node *node, void *object, struct err *err)
{
    void *at = (char *)object + field->offset;
    if (field->kind == FIELD_LIST) {
        struct config_list list;
        if (!setting_read_list(a, file, node, &list, err))
            return false;
        *(struct str **)at = list.items;
        *(size_t *)((char *)object + field->count_offset) = list.count;
        return true;
    }
    if (field->kind == FIELD_BOOL)
        return yaml_as_bool(node, at) ||
               err_set(err, ERR_INVALID, "%" STR_FMT ":%u: '%s' is true or false",
                       STR_ARG(file), node->line, field->key);
    if (node->kind != YAML_SCALAR || node->text.n == 0)
        return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: '%s' is a string", STR_ARG(file),
                       node->line, field->key);
    *(struct str *)at = node->text;
    return true;
}

static bool
read_member(struct arena *a, struct str file, const char *what, const struct field *fields,
            size_t field_count, const char *other, const struct yaml_node *node, void *object,
            struct err *err)
{
    const char *names[COUNT_OF(COLUMN_FIELDS) + 1];
    for (size_t i = 0; i < field_count; i++) {
        if (str_eq(node->key, str_from(fields[i].key)))
            return read_field(a, file, &fields[i], node, object, err);
        names[i] = fields[i].key;
    }
    if (other)
        names[field_count++] = other;
    struct str near = setting_suggest(a, node->key, names, field_count);
    return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: a %s has no '%" STR_FMT "'%" STR_FMT,
                   STR_ARG(file), node->line, what, STR_ARG(node->key), STR_ARG(near));
}

static bool
read_column(struct arena *a, struct str file, const struct yaml_node *node,
            struct config_column *out, struct err *err)
{
    *out = (struct config_column){.line = node->line};
    if (node->kind != YAML_MAPPING)
        return err_set(err, ERR_INVALID,
                       "%" STR_FMT ":%u: a column is written as {name: ..., type: ...}",
                       STR_ARG(file), node->line);
    for (const struct yaml_node *n = node->first; n; n = n->next)
        if (!read_member(a, file, "column", COLUMN_FIELDS, COUNT_OF(COLUMN_FIELDS), NULL, n,
                         out, err))
            return false;
    enum column_type type;
    if (out->name.n == 0 || out->type.n == 0)
        return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: a column needs a name and a type",
                       STR_ARG(file), node->line);
    if (!column_type_parse(out->type, &type))
        return err_set(err, ERR_INVALID,
                       "%" STR_FMT ":%u: the type of a column is integer, real, boolean, date, "
                       "datetime, text or list, got '%" STR_FMT "'",
                       STR_ARG(file), node->line, STR_ARG(out->type));
    if (out->header.n == 0)
        out->header = out->name;
    return true;
}

static bool
read_columns(struct arena *a, struct str file, const struct yaml_node *node,
             struct config_dataset *out, struct err *err)
{
    if (node->kind != YAML_SEQUENCE || node->child_count == 0)
        return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: 'columns' is a list of columns",
                       STR_ARG(file), node->line);
    out->columns = arena_array(a, node->child_count, struct config_column);
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        struct config_column *column = &out->columns[out->column_count];
        if (!read_column(a, file, n, column, err))
            return false;
        for (size_t i = 0; i < out->column_count; i++)
            if (str_eq(out->columns[i].name, column->name))
                return err_set(err, ERR_INVALID,
                               "%" STR_FMT ":%u: the column '%" STR_FMT
                               "' stands here a second time; the first is in line %u",
                               STR_ARG(file), column->line, STR_ARG(column->name),
                               out->columns[i].line);
        out->column_count++;
    }
    return true;
}

/* [a-z][a-z0-9_]{0,62}, as in URL paths. */
static bool
is_dataset_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool is_letter = s.p[i] >= 'a' && s.p[i] <= 'z';
        bool is_later = (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_';
        if (!is_letter && (i == 0 || !is_later))
            return false;
    }
    return s.n >= 1 && s.n <= 63;
}

static bool
read_dataset(struct arena *a, struct str file, const struct yaml_node *node,
             struct config_dataset *out, struct err *err)
{
    *out = (struct config_dataset){.name = node->key, .line = node->line};
    if (!is_dataset_name(node->key))
        return err_set(err, ERR_INVALID,
                       "%" STR_FMT
                       ":%u: a dataset's name is [a-z][a-z0-9_]{0,62}, got '%" STR_FMT "'",
                       STR_ARG(file), node->line, STR_ARG(node->key));
    for (const struct yaml_node *n = node->first; n; n = n->next) {
        bool ok = str_eq(n->key, STR("columns"))
                      ? read_columns(a, file, n, out, err)
                      : read_member(a, file, "dataset", DATASET_FIELDS,
                                    COUNT_OF(DATASET_FIELDS), "columns", n, out, err);
        if (!ok)
            return false;
    }
    int64_t ignored;
    if (!date_parse_zone(out->time_zone, &ignored))
        return err_set(err, ERR_INVALID,
                       "%" STR_FMT ":%u: time_zone of '%" STR_FMT
                       "' is UTC or an offset like +02:00, got '%" STR_FMT "'",
                       STR_ARG(file), node->line, STR_ARG(node->key), STR_ARG(out->time_zone));
    if (out->column_count == 0)
        return err_set(err, ERR_INVALID,
                       "%" STR_FMT ":%u: the dataset '%" STR_FMT "' needs 'columns'",
                       STR_ARG(file), node->line, STR_ARG(node->key));
    return true;
}

bool
sections_read_datasets(struct arena *a, struct str file, const struct yaml_node *node,
                       struct config *out, struct err *err)
{
    if (yaml_is_null(node))
        return true;
    if (node->kind != YAML_MAPPING)
        return err_set(err, ERR_INVALID,
                       "%" STR_FMT ":%u: 'datasets' is a mapping of names to datasets",
                       STR_ARG(file), node->line);
    out->datasets = arena_array(a, node->child_count, struct config_dataset);
    for (const struct yaml_node *n = node->first; n; n = n->next)
        if (n->kind != YAML_MAPPING)
            return err_set(err, ERR_INVALID, "%" STR_FMT ":%u: a dataset has 'columns'",
                           STR_ARG(file), n->line);
        else if (!read_dataset(a, file, n, &out->datasets[out->dataset_count++], err))
            return false;
    return true;
}

const struct config_dataset *
config_find_dataset(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->dataset_count; i++)
        if (str_eq(config->datasets[i].name, name))
            return &config->datasets[i];
    return NULL;
}
