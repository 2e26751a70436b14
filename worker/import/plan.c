/* What the columns of the new version are and which cell of a row each takes.  A dataset that
 * is declared, or that rows are added to, has its columns already and finds them by header; any
 * other gets one column per cell. */
#include "import/work.h"

#include <string.h>

/* Enough rows to tell a dialect by, and a first row of thousands of columns. */
#define HEAD_BYTES (4 * MIB)

/* ---- the first row ---- */

struct first_row {
    struct arena *arena;
    struct str *cells;
    size_t count;
    enum csv_fault fault;
    bool is_found;
};

/* Stops the parser behind the first row that can be the header. */
static bool
keep_first_row(void *context, const struct csv_row *row, struct err *err)
{
    struct first_row *first = context;
    first->is_found = true;
    first->fault = row->fault;
    first->count = row->cell_count;
    first->cells = arena_array(first->arena, row->cell_count, struct str);
    for (size_t i = 0; i < row->cell_count; i++)
        first->cells[i] = arena_str(first->arena, row->cells[i]);
    return err_set(err, ERR_NONE, "found");
}

static bool
refuse_columns(const struct import_task *task, const char *more, size_t count, struct err *err)
{
    return err_set_code(err, ERR_INVALID, "too_many_columns",
                        "the CSV has %s%zu columns, more than the %llu allowed", more, count,
                        (unsigned long long)task->config->imports_columns_max);
}

static bool
read_first_row(struct arena *a, const struct import_task *task, struct str text,
               struct csv_dialect dialect, struct first_row *out, struct err *err)
{
    struct first_row first = {.arena = a};
    scoped_csv csv = csv_open(dialect, keep_first_row, &first);
    struct err stopped; /* by keep_first_row: nothing else stops the parser */
    (void)!(csv_feed(csv, text, &stopped) && csv_finish(csv, &stopped));
    if (!first.is_found)
        return err_set_code(err, ERR_INVALID, "empty_file",
                            "the file has no rows: a CSV needs at least a header line");
    if (first.fault == CSV_TOO_MANY_CELLS)
        return refuse_columns(task, "more than ", CSV_CELLS_MAX, err);
    if (first.fault != CSV_OK)
        return err_set_code(err, ERR_INVALID, "bad_header",
                            "the first row cannot be read (%s); check the delimiter, quote and "
                            "encoding options",
                            csv_fault_name(first.fault));
    if (first.count > task->config->imports_columns_max)
        return refuse_columns(task, "", first.count, err);
    *out = first;
    return true;
}

/* ---- columns that are known ---- */

static bool
has_same_columns(const struct schema *a, const struct schema *b)
{
    if (a->column_count != b->column_count || a->key_index != b->key_index)
        return false;
    for (size_t i = 0; i < a->column_count; i++)
        if (!str_eq(a->columns[i].name, b->columns[i].name) ||
            a->columns[i].type != b->columns[i].type)
            return false;
    return true;
}

/* The columns rows are added to.  When the YAML has changed since, old rows do not fit it. */
static bool
take_base_schema(struct arena *a, const struct import_task *task,
                 const struct config_dataset *declared, struct schema *out, struct err *err)
{
    struct schema base, now;
    if (!schema_parse_json(a, task->base->schema_json, &base, err))
        return false;
    if (declared &&
        (!schema_from_config(a, declared, &now, err) || !has_same_columns(&base, &now)))
        return err_set_code(err, ERR_CONFLICT, "schema_changed",
                            "dataset %" STR_FMT " is declared with other columns than its "
                            "current version has; import it once with mode=replace",
                            STR_ARG(task->dataset));
    *out = declared ? now : base;
    return true;
}

/* Columns by what an option calls them: the name, else the header or the name when folded. */
struct lookup {
    struct arena *arena;
    struct map names, folded;
};

static void
lookup_init(struct arena *a, struct lookup *lookup, const struct schema *schema)
{
    size_t count = schema->column_count;
    lookup->arena = a;
    map_init(a, &lookup->names, count);
    map_init(a, &lookup->folded, 2 * count);
    for (size_t i = 0; i < count; i++) {
        map_put(&lookup->names, schema->columns[i].name, i);
        map_put(&lookup->folded, schema_fold_header(a, schema->columns[i].header), i);
    }
    /* Only then: a header goes before another column's name. */
    for (size_t i = 0; i < count; i++)
        map_put(&lookup->folded, schema_fold_header(a, schema->columns[i].name), i);
}

static bool
lookup_find(const struct lookup *lookup, struct str word, size_t *index)
{
    const size_t *at = map_get(&lookup->names, word);
    if (!at)
        at = map_get(&lookup->folded, schema_fold_header(lookup->arena, word));
    if (at)
        *index = *at;
    return at != NULL;
}

static bool
refuse_fixed(struct str dataset, const struct schema *schema, const char *option,
             struct err *err)
{
    return err_set_name(err, ERR_BAD_PARAMETER, "fixed_schema", str_from(option),
                        "the columns of dataset %" STR_FMT " are fixed, so %s cannot be given "
                        "with this import%s",
                        STR_ARG(dataset), option,
                        schema->is_declared ? "" : "; mode=replace makes them anew");
}

/* Said before anything about the option key, which would send in circles. */
static bool
refuse_keyless(struct str dataset, const struct schema *schema, struct err *err)
{
    return err_set_name(
        err, ERR_BAD_PARAMETER, NULL, STR("mode"),
        "mode=upsert finds rows by their key, and dataset %" STR_FMT " has no key; %s",
        STR_ARG(dataset),
        schema->is_declared
            ? "declare one of its columns with key: true in the settings"
            : "import it once with mode=replace and the option key, which names "
              "the column");
}

bool
import_check_fixed(struct arena *a, struct str dataset, const struct schema *schema,
                   const struct import_options *options, struct err *err)
{
    struct lookup lookup;
    size_t at;
    if (options->mode == IMPORT_UPSERT && schema->key_index == SCHEMA_ROW_NUMBER)
        return refuse_keyless(dataset, schema, err);
    lookup_init(a, &lookup, schema);
    for (size_t i = 0; i < options->type_count; i++)
        if (!lookup_find(&lookup, options->types[i].name, &at) ||
            !str_eq(str_from(column_type_name(schema->columns[at].type)),
                    options->types[i].value))
            return refuse_fixed(dataset, schema, "types", err);
    return options->key.n == 0 ||
           (lookup_find(&lookup, options->key, &at) && at == schema->key_index) ||
           refuse_fixed(dataset, schema, "key", err);
}

/* ---- columns that are not known ---- */

static bool
refuse_column(const struct schema *schema, const char *option, struct str word, struct err *err)
{
    struct suggestion near = schema_suggest(schema, word);
    return err_set_name(err, ERR_BAD_PARAMETER, "unknown_column", str_from(option),
                        "%s names '%" STR_FMT "', which is no column of the CSV%s", option,
                        STR_ARG(str_slice(word, 0, 64)), suggest_text(&near));
}

static void
set_date_formats(struct arena *a, struct schema_column *column)
{
    size_t count;
    const struct str *formats = infer_date_formats(&count);
    column->formats = arena_array(a, count, struct str);
    column->format_count = count;
    memcpy(column->formats, formats, count * sizeof(*formats));
}

static bool
apply_options(struct arena *a, const struct import_options *options, struct import_plan *plan,
              struct err *err)
{
    struct schema *schema = &plan->schema;
    struct lookup lookup;
    lookup_init(a, &lookup, schema);
    for (size_t i = 0; i < options->type_count; i++) {
        size_t at;
        if (!lookup_find(&lookup, options->types[i].name, &at))
            return refuse_column(schema, "types", options->types[i].name, err);
        /* By its header and by its name, for one. */
        if (!plan->needs_type[at])
            return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("types"),
                                "types gives the column %" STR_FMT " a type twice",
                                STR_ARG(schema->columns[at].name));
        if (!column_type_parse(options->types[i].value, &schema->columns[at].type))
            return refuse_column(schema, "types", options->types[i].value, err);
        if (schema->columns[at].type == COLUMN_DATE)
            set_date_formats(a, &schema->columns[at]);
        plan->needs_type[at] = false;
    }
    if (options->key.n && !lookup_find(&lookup, options->key, &schema->key_index))
        return refuse_column(schema, "key", options->key, err);
    return true;
}

static bool
make_columns(struct arena *a, const struct import_task *task, const struct first_row *first,
             struct import_plan *plan, struct err *err)
{
    struct schema *schema = &plan->schema;
    struct map names;
    map_init(a, &names, first->count);
    *schema = (struct schema){.columns = arena_array(a, first->count, struct schema_column),
                              .column_count = first->count,
                              .key_index = SCHEMA_ROW_NUMBER,
                              .title_index = SCHEMA_ROW_NUMBER,
                              .date_index = SCHEMA_ROW_NUMBER};
    for (size_t i = 0; i < first->count; i++) {
        struct str header = plan->dialect.has_header ? first->cells[i] : (struct str){0};
        schema->columns[i] = (struct schema_column){.name = schema_make_name(a, header, &names),
                                                    .header = header,
                                                    .type = COLUMN_TEXT,
                                                    .decimal = '.'};
        plan->cell_of_column[i] = i;
        plan->needs_type[i] = true;
    }
    plan->is_inferred = true;
    return apply_options(a, task->options, plan, err);
}

void
import_plan_set_types(struct arena *a, struct import_plan *plan,
                      const struct infer_column *inferred)
{
    struct schema *schema = &plan->schema;
    plan->fits_other_decimal = arena_array(a, schema->column_count, bool);
    for (size_t i = 0; i < schema->column_count; i++) {
        struct schema_column *column = &schema->columns[i];
        if (plan->needs_type[i]) {
            column->type = infer_type(&inferred[i]);
            plan->fits_other_decimal[i] = infer_fits_other_decimal(&inferred[i]);
        }
        if (column->type == COLUMN_DATE && !column->format_count)
            set_date_formats(a, column);
        bool is_number = column->type == COLUMN_INTEGER || column->type == COLUMN_REAL;
        column->is_measure = is_number && i != schema->key_index;
    }
    plan->is_inferred = false;
}

/* ---- all of it ---- */

static void
apply_nulls_and_decimal(struct arena *a, const struct import_options *options,
                        struct schema *schema)
{
    if (options->nulls) {
        schema->nulls = options->nulls;
        schema->null_count = options->null_count;
    } else if (!schema->nulls) {
        const struct str *words = schema_default_nulls(&schema->null_count);
        schema->nulls = arena_array(a, schema->null_count, struct str);
        memcpy(schema->nulls, words, schema->null_count * sizeof(*words));
    }
    for (size_t i = 0; i < schema->column_count; i++)
        schema->columns[i].decimal = options->decimal ? options->decimal : '.';
}

/* Known columns (NULL: they are not) that have headers: the header is there unless the user
 * says that it is not, since a first row that looks like data would otherwise hide a renamed
 * column. Where they have none, the file that they were made of is looked at as it was then. */
static void
choose_dialect(const struct import_task *task, const struct schema *known, struct str text,
               struct csv_dialect *out)
{
    struct csv_hints hints = task->options->dialect;
    if (known && schema_has_headers(known) && !hints.knows_header) {
        hints.knows_header = true;
        hints.dialect.has_header = true;
    }
    *out = csv_detect_dialect(str_slice(text, 0, HEAD_BYTES), &hints);
}

static bool
plan_columns(struct arena *a, const struct import_task *task,
             const struct config_dataset *declared, bool is_known,
             const struct first_row *first, struct import_plan *plan, struct err *err)
{
    size_t column_count = is_known ? plan->schema.column_count : first->count;
    plan->cell_count = first->count;
    plan->cell_of_column = arena_array(a, column_count, size_t);
    plan->needs_type = arena_array(a, column_count, bool);
    if (!is_known)
        return make_columns(a, task, first, plan, err);
    if (plan->dialect.has_header)
        return import_match_header(a, task, declared, first->cells, first->count, plan, err);
    if (first->count != column_count)
        return err_set_code(err, ERR_INVALID, "missing_columns",
                            "without a header the rows need the %zu columns of dataset "
                            "%" STR_FMT " in order; the first one has %zu cells",
                            column_count, STR_ARG(task->dataset), first->count);
    for (size_t i = 0; i < first->count; i++)
        plan->cell_of_column[i] = i;
    return true;
}

bool
import_plan_make(struct arena *a, const struct import_task *task, struct str text,
                 struct import_plan *out, struct err *err)
{
    const struct config_dataset *declared = config_find_dataset(task->config, task->dataset);
    struct import_plan plan = {
        .is_append = task->base && task->options->mode == IMPORT_APPEND,
        .is_upsert = task->base && task->options->mode == IMPORT_UPSERT,
    };
    bool extends = plan.is_append || plan.is_upsert, is_known = declared || extends;
    struct first_row first = {0};
    if (extends && !take_base_schema(a, task, declared, &plan.schema, err))
        return false;
    if (declared && !extends && !schema_from_config(a, declared, &plan.schema, err))
        return false;
    if (is_known && !import_check_fixed(a, task->dataset, &plan.schema, task->options, err))
        return false;
    choose_dialect(task, is_known ? &plan.schema : NULL, text, &plan.dialect);
    if (!read_first_row(a, task, text, plan.dialect, &first, err) ||
        !plan_columns(a, task, declared, is_known, &first, &plan, err))
        return false;
    if (task->options->mode == IMPORT_UPSERT && plan.schema.key_index == SCHEMA_ROW_NUMBER)
        return refuse_keyless(task->dataset, &plan.schema, err);
    apply_nulls_and_decimal(a, task->options, &plan.schema);
    *out = plan;
    return true;
}
