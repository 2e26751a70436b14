#include "embedded/rows.h"

struct rows_column *
embedded_rows_columns(struct arena *a, const struct schema *schema)
{
    struct rows_column *columns = arena_array(a, schema->column_count, struct rows_column);
    for (size_t i = 0; i < schema->column_count; i++)
        columns[i] = (struct rows_column){.name = schema->columns[i].name,
                                          .type = schema->columns[i].type};
    return columns;
}

struct rows *
embedded_rows_open(struct arena *a, const char *path, const struct schema *schema,
                   struct err *err)
{
    return rows_open(path, embedded_rows_columns(a, schema), schema->column_count, err);
}
