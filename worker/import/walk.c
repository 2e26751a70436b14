/* Walking over the text, and telling how far it is. */
#include "import/work.h"

#include "base/clock.h"

/* Small enough for a progress report every few milliseconds, large enough that rows which span
 * two chunks, and have to be copied, are rare. */
#define CHUNK_BYTES MIB

/* For job.h's promise, with time to spare: the clock is asked once per chunk. */
#define REPORT_US 200000

/* What the sink holds of the text is read a little behind the parser. */
#define LAG_BYTES (16 * MIB)

static bool
report(struct import_progress *progress, struct err *err)
{
    const struct import_task *task = progress->task;
    struct job_progress now = {
        .phase = str_from(progress->phase),
        .bytes_total = task->source_length,
        .bytes_done = progress->reported_bytes,
        .rows_done = progress->rows_done,
        .rows_rejected = progress->rows_rejected,
    };
    return !task->on_progress || task->on_progress(task->context, &now, err);
}

bool
import_progress_at(struct import_progress *progress, uint64_t part, uint64_t whole,
                   struct err *err)
{
    uint64_t now = clock_steady_us();
    if (now - progress->reported_us < REPORT_US)
        return true;
    progress->reported_us = now;
    double share = whole ? (double)MIN(part, whole) / (double)whole : 0;
    double done = MIN((progress->passes_done + share) / progress->pass_count, 1.0);
    uint64_t bytes = (uint64_t)(done * (double)progress->task->source_length);
    /* A pass that turns out to be needed makes each one's share smaller. */
    progress->reported_bytes = MAX(progress->reported_bytes, bytes);
    return report(progress, err);
}

bool
import_progress_last(struct import_progress *progress, const char *phase, struct err *err)
{
    if (phase) {
        progress->phase = phase;
        progress->reported_bytes = progress->task->source_length;
    }
    return report(progress, err);
}

bool
import_walk(const struct csv_decoded *source, struct csv_dialect dialect, csv_row_fn *on_row,
            void *context, struct import_progress *progress, struct err *err)
{
    struct str text = source->text;
    size_t lead = (size_t)(text.p - source->map.bytes.p);
    scoped_csv csv = csv_open(dialect, on_row, context);
    for (size_t at = 0; at < text.n; at += CHUNK_BYTES) {
        if (!csv_feed(csv, str_slice(text, at, at + CHUNK_BYTES), err) ||
            !import_progress_at(progress, at, text.n, err))
            return false;
        if (at > LAG_BYTES)
            fs_map_drop_before(&source->map, lead + at - LAG_BYTES);
    }
    if (!csv_finish(csv, err))
        return false;
    fs_map_drop_before(&source->map, source->map.bytes.n);
    progress->passes_done++;
    return true;
}
