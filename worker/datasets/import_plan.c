/* What the columns of the new version are and which cell of a row each takes.  A dataset that
 * is declared, or that rows are added to, has its columns already and finds them by header; any
 * other gets one column per cell. */
#include "datasets/import_work.h"

#include "base/utf8.h"

#include <stdio.h>
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

const struct config_dataset *
import_find_declared(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->dataset_count; i++)
        if (str_eq(config->datasets[i].name, name))
            return &config->datasets[i];
    return NULL;
}

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

static bool
refuse_fixed(struct str dataset, const char *option, struct err *err)
{
    return err_set_name(err, ERR_BAD_PARAMETER, "fixed_schema", str_from(option),
                        "the columns of dataset %" STR_FMT " are fixed, so %s cannot be given "
                        "with this import",
                        STR_ARG(dataset), option);
}

bool
import_check_fixed(struct arena *a, struct str dataset, const struct schema *schema,
                   const struct import_options *options, struct err *err)
{
    for (size_t i = 0; i < options->type_count; i++) {
        const struct schema_column *column = schema_find(schema, options->types[i].name, NULL);
        if (!column ||
            !str_eq(str_from(column_type_name(column->type)), options->types[i].value))
            return refuse_fixed(dataset, "types", err);
    }
    if (options->key.n == 0)
        return true;
    const struct schema_column *key =
        schema->key_index == SCHEMA_ROW_NUMBER ? NULL : &schema->columns[schema->key_index];
    struct str wanted = schema_fold_header(a, options->key);
    if (!key || (!str_eq(schema_fold_header(a, key->name), wanted) &&
                 !str_eq(schema_fold_header(a, key->header), wanted)))
        return refuse_fixed(dataset, "key", err);
    return true;
}

struct matcher {
    struct arena *arena;
    const struct config_dataset *declared; /* NULL: no aliases */
    const struct first_row *header;
    struct str *folded; /* of the header's cells */
    bool *is_used;
};

static bool
match_word(struct matcher *m, struct str word, size_t *cell)
{
    struct str folded = schema_fold_header(m->arena, word);
    for (size_t i = 0; folded.n && i < m->header->count; i++) {
        if (m->is_used[i] || !str_eq(m->folded[i], folded))
            continue;
        m->is_used[i] = true;
        *cell = i;
        return true;
    }
    return false;
}

static bool
match_column(struct matcher *m, const struct schema_column *column, size_t index, size_t *cell)
{
    if (match_word(m, column->header, cell) || match_word(m, column->name, cell))
        return true;
    const struct config_column *from = m->declared ? &m->declared->columns[index] : NULL;
    for (size_t i = 0; from && i < from->alias_count; i++)
        if (match_word(m, from->aliases[i], cell))
            return true;
    return false;
}

static struct str
nearest_header(const struct matcher *m, struct str header)
{
    struct str wanted = schema_fold_header(m->arena, header), best = {0};
    size_t best_distance = wanted.n / 2 + 1;
    for (size_t i = 0; i < m->header->count; i++) {
        size_t distance = str_distance(wanted, m->folded[i]);
        if (m->is_used[i] || m->folded[i].n == 0 || distance >= best_distance)
            continue;
        best = m->header->cells[i];
        best_distance = distance;
    }
    return best;
}

static void
add_missing(struct buf *list, const struct matcher *m, const struct schema_column *column)
{
    struct str nearest = nearest_header(m, column->header);
    buf_printf(list, "%s'%" STR_FMT "'", list->n ? ", " : "", STR_ARG(column->header));
    if (nearest.n)
        buf_printf(list, " (nearest: '%" STR_FMT "')", STR_ARG(str_slice(nearest, 0, 64)));
}

static void
note_ignored(struct matcher *m, struct import_plan *plan)
{
    plan->ignored = arena_array(m->arena, m->header->count, struct str);
    for (size_t i = 0; i < m->header->count; i++) {
        /* The row numbers that pandas writes in front carry nothing. */
        bool is_index = i == 0 && m->folded[i].n == 0;
        if (!m->is_used[i] && !is_index)
            plan->ignored[plan->ignored_count++] = m->header->cells[i];
    }
}

static bool
match_header(struct arena *a, const struct import_task *task,
             const struct config_dataset *declared, const struct first_row *header,
             struct import_plan *plan, struct err *err)
{
    struct matcher m = {a, declared, header, arena_array(a, header->count, struct str),
                        arena_array(a, header->count, bool)};
    for (size_t i = 0; i < header->count; i++)
        m.folded[i] = schema_fold_header(a, header->cells[i]);
    bool *is_missing = arena_array(a, plan->schema.column_count, bool);
    for (size_t i = 0; i < plan->schema.column_count; i++)
        is_missing[i] =
            !match_column(&m, &plan->schema.columns[i], i, &plan->cell_of_column[i]);
    scoped_buf missing;
    buf_init(&missing, 4 * KIB);
    for (size_t i = 0; i < plan->schema.column_count; i++)
        if (is_missing[i])
            add_missing(&missing, &m, &plan->schema.columns[i]);
    if (missing.n)
        return err_set_code(err, ERR_INVALID, "missing_columns",
                            "the CSV lacks columns of dataset %" STR_FMT ": %" STR_FMT,
                            STR_ARG(task->dataset), STR_ARG(buf_str(&missing)));
    note_ignored(&m, plan);
    return true;
}

static bool
match_positions(const struct import_task *task, const struct first_row *first,
                struct import_plan *plan, struct err *err)
{
    if (first->count != plan->schema.column_count)
        return err_set_code(err, ERR_INVALID, "missing_columns",
                            "without a header the rows need the %zu columns of dataset "
                            "%" STR_FMT " in order; the first one has %zu cells",
                            plan->schema.column_count, STR_ARG(task->dataset), first->count);
    for (size_t i = 0; i < first->count; i++)
        plan->cell_of_column[i] = i;
    return true;
}

/* ---- columns that are not known ---- */

static bool
find_by_name_or_header(struct arena *a, const struct schema *schema, struct str word,
                       size_t *index)
{
    if (schema_find(schema, word, index))
        return true;
    struct str folded = schema_fold_header(a, word);
    for (size_t i = 0; i < schema->column_count; i++)
        if (str_eq(schema_fold_header(a, schema->columns[i].header), folded)) {
            *index = i;
            return true;
        }
    return false;
}

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
    for (size_t i = 0; i < options->type_count; i++) {
        size_t at;
        if (!find_by_name_or_header(a, schema, options->types[i].name, &at))
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
    if (options->key.n && !find_by_name_or_header(a, schema, options->key, &schema->key_index))
        return refuse_column(schema, "key", options->key, err);
    return true;
}

static bool
make_columns(struct arena *a, const struct import_task *task, const struct first_row *first,
             struct import_plan *plan, struct err *err)
{
    struct schema *schema = &plan->schema;
    struct str *names = arena_array(a, first->count, struct str);
    *schema = (struct schema){.columns = arena_array(a, first->count, struct schema_column),
                              .column_count = first->count,
                              .key_index = SCHEMA_ROW_NUMBER,
                              .title_index = SCHEMA_ROW_NUMBER,
                              .date_index = SCHEMA_ROW_NUMBER};
    for (size_t i = 0; i < first->count; i++) {
        struct str header = plan->dialect.has_header ? first->cells[i] : (struct str){0};
        names[i] = schema_make_name(a, header, names, i);
        schema->columns[i] = (struct schema_column){
            .name = names[i], .header = header, .type = COLUMN_TEXT, .decimal = '.'};
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

/* Known columns: the header is there unless the user says that it is not, since a first row
 * that looks like data would otherwise hide a renamed column. */
static void
choose_dialect(const struct import_task *task, bool is_known, struct str text,
               struct csv_dialect *out)
{
    struct csv_hints hints = task->options->dialect;
    if (is_known && !hints.knows_header) {
        hints.knows_header = true;
        hints.dialect.has_header = true;
    }
    *out = csv_detect_dialect(str_slice(text, 0, HEAD_BYTES), &hints);
}

static bool
plan_columns(struct arena *a, const struct import_task *task,
             const struct config_dataset *declared, const struct first_row *first,
             struct import_plan *plan, struct err *err)
{
    bool extends = plan->is_append || plan->is_upsert;
    if (!declared && !extends)
        return make_columns(a, task, first, plan, err);
    bool ok = extends ? take_base_schema(a, task, declared, &plan->schema, err)
                      : schema_from_config(a, declared, &plan->schema, err);
    if (!ok || !import_check_fixed(a, task->dataset, &plan->schema, task->options, err))
        return false;
    plan->cell_of_column = arena_array(a, plan->schema.column_count, size_t);
    plan->needs_type = arena_array(a, plan->schema.column_count, bool);
    return plan->dialect.has_header ? match_header(a, task, declared, first, plan, err)
                                    : match_positions(task, first, plan, err);
}

bool
import_plan_make(struct arena *a, const struct import_task *task, struct str text,
                 struct import_plan *out, struct err *err)
{
    const struct config_dataset *declared = import_find_declared(task->config, task->dataset);
    struct import_plan plan = {
        .is_append = task->base && task->options->mode == IMPORT_APPEND,
        .is_upsert = task->base && task->options->mode == IMPORT_UPSERT,
    };
    struct first_row first = {0};
    choose_dialect(task, declared || plan.is_append || plan.is_upsert, text, &plan.dialect);
    if (!read_first_row(a, task, text, plan.dialect, &first, err))
        return false;
    plan.cell_count = first.count;
    plan.cell_of_column = arena_array(a, first.count, size_t);
    plan.needs_type = arena_array(a, first.count, bool);
    if (!plan_columns(a, task, declared, &first, &plan, err))
        return false;
    if (task->options->mode == IMPORT_UPSERT && plan.schema.key_index == SCHEMA_ROW_NUMBER)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("mode"),
                            "mode=upsert needs a key column, and dataset %" STR_FMT
                            " has none; give one with key=",
                            STR_ARG(task->dataset));
    apply_nulls_and_decimal(a, task->options, &plan.schema);
    *out = plan;
    return true;
}
