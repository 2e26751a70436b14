#include "import/read.h"

#include "import/work.h"

#include <sys/mman.h>

struct reading {
    const struct import_plan *plan;
    import_read_fn *on_row;
    void *context;
    struct str *cells; /* of the row at hand, per column */
    bool is_behind_header;
};

static bool
read_row(void *context, const struct csv_row *row, struct err *err)
{
    struct reading *reading = context;
    const struct import_plan *plan = reading->plan;
    bool is_header = !reading->is_behind_header && plan->dialect.has_header;
    reading->is_behind_header = true;
    if (is_header)
        return true;
    struct import_read_row out = {.line = row->line};
    if (row->fault != CSV_OK)
        out.fault = csv_fault_name(row->fault);
    else if (row->cell_count != plan->cell_count)
        out.fault = IMPORT_WRONG_CELL_COUNT;
    else {
        for (size_t i = 0; i < plan->schema.column_count; i++)
            reading->cells[i] = row->cells[plan->cell_of_column[i]];
        out.cells = reading->cells;
    }
    return reading->on_row(reading->context, &out, err);
}

/* A plain UTF-8 file is read where it lies; what has to be decoded lies in memory, bounded by
 * what an import would take or twice the file (UTF-16 can grow by half). */
static bool
decode(const struct import_task *task, struct csv_decoded *out, struct err *err)
{
    struct csv_source source = {.length = task->source_length,
                                .decoded_bytes_max = MAX(task->config->imports_file_bytes_max,
                                                         task->source_length * 2)};
    if (task->source_length == 0)
        return err_set_code(err, ERR_INVALID, "empty_file", "the file is empty");
    scoped_fd memory = memfd_create("decoded", MFD_CLOEXEC);
    if (memory < 0)
        return err_set_errno(err, "making a file in memory");
    return csv_decode_open(out, task->source_fd, &source, memory, NULL, NULL, err);
}

bool
import_read(const struct config *config, struct str dataset, int source_fd,
            import_read_fn *on_row, void *context, struct err *err)
{
    scoped_arena a = {0};
    const struct import_options options = {0};
    struct import_task task = {
        .config = config, .dataset = dataset, .options = &options, .source_fd = source_fd};
    struct csv_decoded source = {0};
    struct import_plan plan;
    struct import_progress progress = {.task = &task, .phase = "reading", .pass_count = 1};
    bool ok = fs_size(source_fd, &task.source_length, err) && decode(&task, &source, err) &&
              import_plan_make(&a, &task, source.text, &plan, err);
    if (ok) {
        struct reading reading = {.plan = &plan,
                                  .on_row = on_row,
                                  .context = context,
                                  .cells =
                                      arena_array(&a, plan.schema.column_count, struct str)};
        ok = import_walk(&source, plan.dialect, read_row, &reading, &progress, err);
    }
    csv_decode_close(&source);
    return ok;
}
