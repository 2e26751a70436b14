/* The second pass: rows to the sink, the rest to the rejects.
 *
 *   replace   the CSV's rows, of a key the last one
 *   append    the old rows, then the CSV's; a key that the old rows have is a duplicate
 *   upsert    the old rows, each replaced where it stands by the CSV's row of its key; then the
 *             CSV's rows of new keys
 */
#include "import/work.h"

#include <stdio.h>

/* Into the room that the sink gave; 1 kept, 0 the row is at fault, -1 error. */
static int
parse_into_sink(struct import_build *build, const struct csv_row *row, struct value **values,
                struct import_fault *fault, struct err *err)
{
    struct str text = build->source->text;
    struct arena *a;
    *values = build->task->sink->next(build->rows, &a, err);
    if (!*values)
        return -1;
    struct csv_row kept = *row;
    struct str *cells = arena_array(a, row->cell_count, struct str);
    /* Cells that stand in the mapped text stay there; the others are the parser's, and go. */
    for (size_t i = 0; i < row->cell_count; i++) {
        uintptr_t at = (uintptr_t)row->cells[i].p, begin = (uintptr_t)text.p;
        bool is_mapped = at >= begin && at < begin + text.n;
        cells[i] =
            is_mapped || row->cells[i].n == 0 ? row->cells[i] : arena_str(a, row->cells[i]);
    }
    kept.cells = cells;
    return import_parse_row(a, build->plan, &kept, IMPORT_WHOLE, *values, fault);
}

static void
push(struct import_build *build, uint64_t line)
{
    build->task->sink->push(build->rows, line);
    build->version_rows++;
}

/* ---- the CSV's rows ---- */

static bool
fault_is_duplicate(const struct import_build *build, const struct import_key_entry *entry,
                   struct import_fault *fault)
{
    const struct schema *schema = &build->plan->schema;
    bool is_older = entry->row != build->ordinal;
    if (!is_older && !(build->plan->is_append && entry->is_in_base))
        return false;
    *fault = (struct import_fault){.reason = "duplicate_key",
                                   .column = schema->columns[schema->key_index].name};
    snprintf(fault->detail, sizeof(fault->detail),
             is_older ? "a later row has the same %" STR_FMT ", and the last one counts"
                      : "the dataset has a row with this %" STR_FMT "; mode=upsert replaces it",
             STR_ARG(fault->column));
    return true;
}

static bool
reject(struct import_build *build, const struct csv_row *row, const struct import_fault *fault,
       struct err *err)
{
    bool ok = import_rejects_add(build->rejects, row, fault, err);
    build->progress->rows_rejected = build->rejects->count + build->rejects->duplicate_count;
    return ok;
}

static bool
build_row(void *context, const struct csv_row *row, struct err *err)
{
    struct import_build *build = context;
    bool is_header = build->ordinal == 0 && build->plan->dialect.has_header;
    build->ordinal++;
    if (is_header)
        return true;
    build->source_rows++;
    struct import_fault fault;
    struct value *values;
    int kept = parse_into_sink(build, row, &values, &fault, err);
    if (kept < 0)
        return false;
    if (kept == 0)
        return reject(build, row, &fault, err);
    const struct schema *schema = &build->plan->schema;
    bool is_placed = false;
    if (schema->key_index != SCHEMA_ROW_NUMBER) {
        const struct import_keys *keys = &build->scan->keys;
        const struct import_key_entry *entry =
            import_keys_get(keys, import_key_of(keys, schema, values));
        if (!entry)
            return err_set(err, ERR_INTERNAL, "the source changed while it was read");
        if (fault_is_duplicate(build, entry, &fault))
            return reject(build, row, &fault, err);
        is_placed = build->plan->is_upsert && entry->is_in_base;
    }
    if (!is_placed)
        push(build, row->line);
    build->accepted++;
    build->progress->rows_done = build->accepted;
    return true;
}

/* ---- the old rows ---- */

struct replacement {
    struct import_build *build;
    uint64_t line; /* in the file; the row is parsed alone */
    bool is_done;
};

static bool
place_row(void *context, const struct csv_row *row, struct err *err)
{
    struct replacement *replacement = context;
    struct import_fault fault;
    struct value *values;
    int kept = parse_into_sink(replacement->build, row, &values, &fault, err);
    if (kept > 0 && !replacement->is_done) {
        push(replacement->build, replacement->line);
        replacement->is_done = true;
    }
    return kept >= 0;
}

/* The row that the scan found good, read again from where it stands. */
static bool
replace_row(struct import_build *build, const struct import_key_entry *entry, struct err *err)
{
    struct replacement replacement = {build, entry->line, false};
    scoped_csv csv = csv_open(build->plan->dialect, place_row, &replacement);
    struct str text = str_slice(build->source->text, entry->offset, entry->end);
    /* A line end first: a file that begins with U+FEFF has a mark, a row has a cell with it. */
    if (!csv_feed(csv, STR("\n"), err) || !csv_feed(csv, text, err) || !csv_finish(csv, err))
        return false;
    return replacement.is_done ||
           err_set(err, ERR_INTERNAL, "the source changed while it was read");
}

static bool
build_base_row(struct import_build *build, uint64_t number, struct err *err)
{
    const struct schema *schema = &build->plan->schema;
    struct arena *a;
    uint64_t line;
    struct value *values = build->task->sink->next(build->rows, &a, err);
    if (!values || !build->task->sink->base_row(a, build->rows, number, values, &line, err))
        return false;
    struct import_key_entry *entry = NULL;
    if (schema->key_index != SCHEMA_ROW_NUMBER) {
        const struct import_keys *keys = &build->scan->keys;
        entry = import_keys_get(keys, import_key_of(keys, schema, values));
    }
    if (entry)
        entry->is_in_base = true;
    if (entry && build->plan->is_upsert)
        return replace_row(build, entry, err);
    push(build, line);
    return true;
}

/* A file of which nothing can be kept is the wrong file, or was told the wrong types: taken as
 * a version it would empty the dataset.  Duplicates are good rows that are there already, and a
 * file without rows says what it means. */
static bool
check_some_kept(const struct import_build *build, struct err *err)
{
    const struct import_rejects *rejects = build->rejects;
    if (rejects->count == 0 || rejects->count < build->source_rows)
        return true;
    return err_set_code(err, ERR_INVALID, "all_rows_rejected",
                        "none of the %llu rows can be kept, and the dataset stays as it was; "
                        "the first, line %llu: %s: %s",
                        (unsigned long long)build->source_rows,
                        (unsigned long long)rejects->first_line, rejects->first.reason,
                        rejects->first.detail);
}

bool
import_build_run(struct import_build *build, struct err *err)
{
    uint64_t count = build->base ? (uint64_t)build->base->row_count : 0;
    for (uint64_t number = 1; number <= count; number++)
        if (!build_base_row(build, number, err) ||
            !import_progress_at(build->progress, number, count, err))
            return false;
    build->progress->passes_done += build->base != NULL;
    return import_walk(build->source, build->plan->dialect, build_row, build, build->progress,
                       err) &&
           import_rejects_flush(build->rejects, err) && check_some_kept(build, err);
}
