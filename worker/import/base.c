/* The rows a new version starts from.  They are values already: of the types that the plan took
 * over from them, so nothing is parsed again but the elements of lists. */
#include "import/work.h"

#include "catalogue/integrity.h"
#include "catalogue/version_folder.h"

#include <fcntl.h>

static const char *
base_path(struct arena *a, const struct import_task *task, const char *file)
{
    return version_folder_path(a, task->data_dir, task->base->dataset_id, task->base->job_id,
                               file);
}

/* A folded text folds to itself, so its size in the old version is its size in the new one. */
static bool
measure_base(struct arena *a, const struct import_task *task, struct import_base *base,
             size_t column_count, struct err *err)
{
    scoped_fd fd = fs_open_at(AT_FDCWD, base_path(a, task, COLUMNS_FILE_NAME), O_RDONLY, err);
    struct columns columns = {0};
    if (fd < 0 || !columns_open(a, &columns, fd, err))
        return false;
    bool fits = columns.column_count == column_count;
    for (size_t i = 0; fits && i < column_count; i++)
        base->text_bytes_max[i] = columns.columns[i].text.bytes.n;
    base->row_count = columns.row_count;
    columns_close(&columns);
    return fits || err_set_code(err, ERR_BUSY, "index_damaged",
                                "the index of the current version has another number of "
                                "columns than its schema");
}

bool
import_base_open(struct arena *a, const struct import_task *task,
                 const struct import_plan *plan, struct import_base *out, struct err *err)
{
    size_t column_count = plan->schema.column_count;
    struct import_base base = {.text_bytes_max = arena_array(a, column_count, uint64_t)};
    if (!plan->is_append && !plan->is_upsert) {
        *out = base;
        return true;
    }
    struct rows_column *columns = arena_array(a, column_count, struct rows_column);
    for (size_t i = 0; i < column_count; i++)
        columns[i] = (struct rows_column){.name = plan->schema.columns[i].name,
                                          .type = plan->schema.columns[i].type};
    /* Rows that were turned by the disk would be right ones of the next version. */
    if (!integrity_check_rows(task->data_dir, task->base, err) ||
        !measure_base(a, task, &base, column_count, err))
        return false;
    base.rows = rows_open(base_path(a, task, ROWS_FILE_NAME), columns, column_count, err);
    if (!base.rows)
        return false;
    *out = base;
    return true;
}

void
import_base_close(struct import_base *base)
{
    if (base->rows)
        rows_close(&base->rows);
}

bool
import_base_row(struct arena *a, const struct import_base *base, const struct import_plan *plan,
                uint64_t number, struct value *values, uint64_t *line, struct err *err)
{
    const struct schema *schema = &plan->schema;
    size_t *wanted = arena_array(a, schema->column_count, size_t);
    for (size_t i = 0; i < schema->column_count; i++)
        wanted[i] = i;
    int got = rows_get(base->rows, number, wanted, schema->column_count, values, err);
    if (got <= 0)
        return got < 0 ? false
                       : err_set(err, ERR_INTERNAL, "row %llu of the current version is gone",
                                 (unsigned long long)number);
    if (!rows_line(base->rows, number, line, err))
        return false;
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct schema_column *column = &schema->columns[i];
        if (!column_type_is_textual(column->type))
            continue;
        values[i].text = arena_str(a, values[i].text);
        struct str *elements = NULL;
        size_t count = 0;
        if (column->type == COLUMN_LIST)
            schema_split_list(a, column, values[i].text, &elements, &count);
        values[i].elements = elements;
        values[i].element_count = count;
    }
    return true;
}
