/* The first pass: how much text each column has, what its type is, and which row of a key is
 * the last good one.  A key whose type is inferred needs a pass more: the same key can be
 * spelled 98 and 98.0, and whether that is a number is known at the end of the file. */
#include "base/utf8.h"
#include "import/work.h"

struct scan {
    const struct import_plan *plan;
    struct import_scan *out;
    struct infer_column *inferred; /* NULL: the types are known */
    bool collects_keys, measures;
    char decimal;
    uint64_t ordinal;
    struct import_key last_key; /* of the row whose end is not known yet */
    bool has_last_key;
    struct arena arena; /* one row */
    struct value *values;
};

static void
end_last_key(struct scan *scan, uint64_t offset)
{
    if (scan->has_last_key)
        import_keys_get(&scan->out->keys, scan->last_key)->end = offset;
    scan->has_last_key = false;
}

static void
note_key(struct scan *scan, const struct csv_row *row)
{
    struct import_fault fault;
    if (!import_parse_row(&scan->arena, scan->plan, row, IMPORT_CHECK, scan->values, &fault))
        return;
    struct import_key key = import_key_of(&scan->out->keys, &scan->plan->schema, scan->values);
    struct import_key_entry *entry = import_keys_put(&scan->out->keys, key);
    entry->row = scan->ordinal;
    entry->offset = row->offset;
    entry->line = row->line & (UINT64_MAX >> 1);
    entry->end = UINT64_MAX;
    scan->last_key = key;
    scan->has_last_key = true;
}

static bool
scan_row(void *context, const struct csv_row *row, struct err *err UNUSED)
{
    struct scan *scan = context;
    const struct import_plan *plan = scan->plan;
    end_last_key(scan, row->offset);
    bool is_header = scan->ordinal == 0 && plan->dialect.has_header;
    scan->ordinal++;
    if (is_header || row->fault != CSV_OK || row->cell_count != plan->cell_count)
        return true;
    scan->out->row_count += scan->measures;
    for (size_t i = 0; scan->measures && i < plan->schema.column_count; i++) {
        struct str cell = row->cells[plan->cell_of_column[i]];
        scan->out->text_bytes[i] += cell.n;
        scan->out->text_bytes_max[i] += utf8_folded_bytes_max(cell);
        if (scan->inferred && plan->needs_type[i])
            infer_add(&scan->inferred[i], &plan->schema, scan->decimal, cell);
    }
    if (scan->collects_keys) {
        note_key(scan, row);
        arena_reset(&scan->arena);
    }
    return true;
}

static bool
walk(struct scan *scan, const struct csv_decoded *source, struct import_progress *progress,
     struct err *err)
{
    bool ok = import_walk(source, scan->plan->dialect, scan_row, scan, progress, err);
    end_last_key(scan, source->text.n);
    arena_free(&scan->arena);
    return ok;
}

bool
import_scan_run(struct arena *a, const struct csv_decoded *source, struct import_plan *plan,
                char decimal, struct import_progress *progress, struct import_scan *out,
                struct err *err)
{
    size_t columns = plan->schema.column_count;
    bool is_keyed = plan->schema.key_index != SCHEMA_ROW_NUMBER;
    out->text_bytes = arena_array(a, columns, uint64_t);
    out->text_bytes_max = arena_array(a, columns, uint64_t);
    import_keys_init(&out->keys);
    struct scan first = {
        .plan = plan,
        .out = out,
        .measures = true,
        .collects_keys = is_keyed && !plan->is_inferred,
        .inferred = plan->is_inferred ? arena_array(a, columns, struct infer_column) : NULL,
        .decimal = decimal,
        .values = arena_array(a, columns, struct value),
    };
    for (size_t i = 0; first.inferred && i < columns; i++)
        infer_init(&first.inferred[i]);
    progress->pass_count += is_keyed && plan->is_inferred;
    if (!walk(&first, source, progress, err))
        return false;
    if (!first.inferred)
        return true;
    import_plan_set_types(a, plan, first.inferred);
    if (!is_keyed)
        return true;
    struct scan second = {
        .plan = plan, .out = out, .collects_keys = true, .values = first.values};
    return walk(&second, source, progress, err);
}
