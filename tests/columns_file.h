/* The columns file of rows that lie in memory. */
#pragma once

#include "index/columns.h"
#include "memory_file.h"

#include <stdlib.h>

/* `rows` holds the values of the first row, of the second, and so on. */
static inline void
columns_file_write(int fd, const struct columns_spec *specs, size_t column_count,
                   const struct value *rows, uint64_t row_count)
{
    struct err err = {0};
    struct columns_builder *b = columns_build_begin(fd, specs, column_count, row_count, &err);
    bool ok = b != NULL;
    for (uint64_t row = 0; row < row_count && ok; row++)
        ok = columns_build_add(b, rows + row * column_count, &err);
    struct column_summary *summaries = calloc(column_count, sizeof(*summaries));
    ok = ok && summaries && columns_build_finish(&b, summaries, &err);
    assert(ok);
    free(summaries);
}

static inline int
columns_file(const struct columns_spec *specs, size_t column_count, const struct value *rows,
             uint64_t row_count)
{
    int fd = memory_file(STR(""));
    columns_file_write(fd, specs, column_count, rows, row_count);
    return fd;
}
