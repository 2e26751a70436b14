/* The rows that were not kept: each is counted, the first of them are written down. */
#include "import/work.h"

#include "json/write.h"

#include <string.h>

#define RAW_BYTES_MAX (4 * KIB)
#define FLUSH_BYTES (64 * KIB)

void
import_rejects_init(struct import_rejects *rejects, const struct import_task *task,
                    uint64_t bom_bytes)
{
    *rejects = (struct import_rejects){.task = task, .bom_bytes = bom_bytes};
    buf_init(&rejects->lines, MIB);
}

void
import_rejects_free(struct import_rejects *rejects)
{
    buf_free(&rejects->lines);
}

bool
import_rejects_flush(struct import_rejects *rejects, struct err *err)
{
    bool ok = rejects->task->rejects_fd < 0 ||
              fs_write(rejects->task->rejects_fd, buf_str(&rejects->lines), err);
    buf_clear(&rejects->lines);
    return ok;
}

static void
add_line(struct import_rejects *rejects, const struct csv_row *row,
         const struct import_fault *fault)
{
    struct json j = json_write(&rejects->lines);
    struct str raw = str_slice(row->raw, 0, RAW_BYTES_MAX);
    scoped_buf shown = {.max = RAW_BYTES_MAX * 3};
    /* The row as it came, but for NUL bytes: strict readers of JSON refuse them. */
    for (size_t i = 0; i < raw.n; i++)
        if (raw.p[i])
            buf_add_char(&shown, raw.p[i]);
        else
            buf_add_lit(&shown, "\xef\xbf\xbd");
    json_begin_object(&j);
    json_member_u64(&j, "line", row->line);
    json_member_u64(&j, "offset", row->offset + rejects->bom_bytes);
    json_member_str_or_null(&j, "column", fault->column);
    json_member_str(&j, "reason", str_from(fault->reason));
    json_member_str(&j, "detail", str_from(fault->detail));
    json_member_str(&j, "raw", buf_str(&shown));
    json_end_object(&j);
    buf_add_char(&rejects->lines, '\n');
}

bool
import_rejects_add(struct import_rejects *rejects, const struct csv_row *row,
                   const struct import_fault *fault, struct err *err)
{
    const struct import_options *options = rejects->task->options;
    bool is_duplicate = strcmp(fault->reason, "duplicate_key") == 0;
    rejects->count += !is_duplicate;
    rejects->duplicate_count += is_duplicate;
    uint64_t total = rejects->count + rejects->duplicate_count;
    if (total == 1) {
        rejects->first_line = row->line;
        rejects->first = *fault;
        rejects->first.column = (struct str){0}; /* may go with the row */
    }
    if (total <= rejects->task->config->imports_rejects_max)
        add_line(rejects, row, fault);
    if (rejects->lines.n > FLUSH_BYTES && !import_rejects_flush(rejects, err))
        return false;
    bool is_over =
        options->aborts_on_error || (options->errors_max && total > options->errors_max);
    if (!is_over)
        return true;
    if (!import_rejects_flush(rejects, err))
        return false;
    return err_set_code(err, ERR_INVALID,
                        options->aborts_on_error ? "bad_row" : "too_many_errors",
                        "line %llu: %s; with this row %llu were rejected, %s",
                        (unsigned long long)row->line, fault->detail, (unsigned long long)total,
                        options->aborts_on_error ? "and on_error=abort allows none"
                                                 : "more than max_errors allows");
}
