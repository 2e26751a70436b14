/* Cells of one column, a line each: the type inferred from them reads every one of them, and
 * lists are split without reading or writing beyond their cell. */
#include "fuzz.h"

#include "import/infer.h"

#include "base/utf8.h"

static void
check_cell(struct arena *a, const struct schema *schema, struct str cell)
{
    struct value v;
    struct err err;
    bool is_read = schema_parse_cell(a, schema, 0, cell, &v, &err);
    assert(is_read);
    struct schema_column list = {.type = COLUMN_LIST};
    struct str *elements;
    size_t count, bytes = 0;
    schema_split_list(a, &list, cell, &elements, &count);
    for (size_t i = 0; i < count; i++) {
        assert(utf8_is_valid(elements[i]));
        bytes += elements[i].n;
    }
    assert(bytes <= cell.n);
}

static void
fuzz(struct arena *a, struct str input)
{
    if (input.n == 0 || !utf8_is_valid(input))
        return;
    struct schema_column column = {.decimal = input.p[0] == ',' ? ',' : '.'};
    struct schema schema = {.columns = &column, .column_count = 1};
    size_t format_count;
    schema.nulls = (struct str *)schema_default_nulls(&schema.null_count);
    column.formats = (struct str *)infer_date_formats(&format_count);
    column.format_count = format_count;
    struct str text = str_skip(input, input.p[0] == ',');
    struct infer_column inferred;
    infer_init(&inferred);
    for (struct str rest = text; rest.p;)
        infer_add(&inferred, &schema, column.decimal, str_cut(&rest, '\n'));
    column.type = infer_type(&inferred);
    for (struct str rest = text; rest.p;)
        check_cell(a, &schema, str_cut(&rest, '\n'));
}
