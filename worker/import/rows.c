/* One CSV row as values, and the ways it can fail to be one.  Both passes ask here, so that
 * they agree on which rows are good. */
#include "import/work.h"

#include <stdarg.h>
#include <stdio.h>

static const char *
fault_detail(enum csv_fault fault)
{
    switch (fault) {
    case CSV_OK:
        break;
    case CSV_UNCLOSED_QUOTE:
        return "a quoted cell is still open at the end of the file";
    case CSV_CELL_TOO_LONG:
        return "a cell is longer than 1 MiB";
    case CSV_ROW_TOO_LONG:
        return "the row is longer than 64 MiB";
    case CSV_TOO_MANY_CELLS:
        return "the row has more than 65536 cells";
    case CSV_NUL_BYTE:
        return "the row has a NUL byte";
    case CSV_INVALID_UTF8:
        return "the row has bytes that are not UTF-8; is it another encoding?";
    }
    return "";
}

static bool PRINTF(4, 5) fail(struct import_fault *fault, const char *reason, struct str column,
                              const char *fmt, ...)
{
    fault->reason = reason;
    fault->column = column;
    va_list args;
    va_start(args, fmt);
    vsnprintf(fault->detail, sizeof(fault->detail), fmt, args);
    va_end(args);
    return false;
}

static bool
check_key(const struct schema *schema, const struct value *values, struct import_fault *fault)
{
    if (schema->key_index == SCHEMA_ROW_NUMBER)
        return true;
    const struct schema_column *key = &schema->columns[schema->key_index];
    const struct value *value = &values[schema->key_index];
    if (!value->is_null && (!column_type_is_textual(key->type) || str_trim(value->text).n))
        return true;
    return fail(fault, "empty_key", key->name, "the key %" STR_FMT " is empty",
                STR_ARG(key->name));
}

bool
import_parse_row(struct arena *a, const struct import_plan *plan, const struct csv_row *row,
                 enum import_depth depth, struct value *values, struct import_fault *fault)
{
    const struct schema *schema = &plan->schema;
    if (row->fault != CSV_OK)
        return fail(fault, csv_fault_name(row->fault), (struct str){0}, "%s",
                    fault_detail(row->fault));
    if (row->cell_count != plan->cell_count)
        return fail(fault, IMPORT_WRONG_CELL_COUNT, (struct str){0},
                    "the row has %zu cells, the CSV has %zu columns", row->cell_count,
                    plan->cell_count);
    for (size_t i = 0; i < schema->column_count; i++) {
        struct str cell = row->cells[plan->cell_of_column[i]];
        struct err err;
        /* Text is never wrong; its elements are of no use to a check. */
        if (depth == IMPORT_CHECK && column_type_is_textual(schema->columns[i].type))
            values[i] = (struct value){.text = cell};
        else if (!schema_parse_cell(a, schema, i, cell, &values[i], &err))
            return fail(fault, "bad_value", schema->columns[i].name, "%s", err.detail);
    }
    return check_key(schema, values, fault);
}
