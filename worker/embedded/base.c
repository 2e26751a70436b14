#include "embedded/base.h"

#include "base/fs.h"
#include "embedded/files.h"

#include <fcntl.h>

/* A folded text folds to itself, so its size in the old version is its size in the new one. */
static bool
measure_base(struct arena *a, const char *path, struct embedded_base *base, size_t column_count,
             struct err *err)
{
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDONLY, err);
    struct columns columns = {0};
    if (fd < 0 || !columns_open(a, &columns, fd, err))
        return false;
    bool fits = columns.column_count == column_count;
    for (size_t i = 0; fits && i < column_count; i++)
        base->text_bytes_max[i] = column_text_bytes(&columns.columns[i]);
    base->row_count = columns.row_count;
    columns_close(&columns);
    return fits || err_set_code(err, ERR_BUSY, "index_damaged",
                                "the index of the current version has another number of "
                                "columns than its schema");
}

bool
embedded_base_open(struct arena *a, const char *data_dir, const struct dataset_version *version,
                   const struct schema *schema, struct embedded_base *out, struct err *err)
{
    size_t count = schema->column_count;
    struct embedded_base base = {.text_bytes_max = arena_array(a, count, uint64_t),
                                 .wanted = arena_array(a, count, size_t)};
    for (size_t i = 0; i < count; i++)
        base.wanted[i] = i;
    /* Rows that were turned by the disk would be right ones of the next version. */
    if (!embedded_check_rows(data_dir, version, err) ||
        !measure_base(a, embedded_path(a, data_dir, version, COLUMNS_FILE_NAME), &base, count,
                      err))
        return false;
    base.rows =
        embedded_rows_open(a, embedded_path(a, data_dir, version, ROWS_FILE_NAME), schema, err);
    if (!base.rows)
        return false;
    *out = base;
    return true;
}

void
embedded_base_close(struct embedded_base *base)
{
    rows_close(&base->rows);
}

bool
embedded_base_row(struct arena *a, const struct embedded_base *base,
                  const struct schema *schema, uint64_t number, struct value *values,
                  uint64_t *line, struct err *err)
{
    int got = rows_get(base->rows, number, base->wanted, schema->column_count, values, err);
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
