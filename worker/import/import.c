/* One import from its source to a complete folder, in the order of
 * work.h. The SHA-256 of the source is taken beside everything else, on a thread of its
 * own. */
#include "import/work.h"

#include "base/clock.h"
#include "base/digest.h"
#include "catalogue/version_folder.h"
#include "role/disk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- the folder ---- */

static bool
check_disk(const struct import_task *task, uint64_t text_bytes, struct err *err)
{
    uint64_t free_bytes = disk_free_bytes(task->data_dir);
    uint64_t needed = (uint64_t)((double)text_bytes * task->sink->disk_share) + DISK_RESERVE;
    return free_bytes >= needed ||
           err_set(err, ERR_DISK_FULL,
                   "this import needs about %llu MiB of disk, and %llu MiB are free",
                   (unsigned long long)(needed / MIB), (unsigned long long)(free_bytes / MIB));
}

static const char *
folder_path(struct arena *a, const struct import_task *task, const char *file)
{
    return version_folder_path(a, task->data_dir, task->dataset_id, task->job_id, file);
}

/* Only after the files: this folder, the dataset's and datasets/, for each can be new in the
 * one above it. */
static bool
sync_folders(struct arena *a, const struct import_task *task, struct err *err)
{
    static const char *const FOLDERS[] = {"", "..", "../.."};
    for (size_t i = 0; i < COUNT_OF(FOLDERS); i++) {
        const char *path = folder_path(a, task, FOLDERS[i]);
        scoped_fd folder = fs_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, err);
        if (folder < 0 || !fs_sync(folder, err))
            return false;
    }
    return true;
}

/* ---- the steps ---- */

/* Everything that is open while an import runs. */
struct work {
    const struct import_task *task;
    struct import_progress progress;
    struct csv_decoded source;
    struct import_plan plan;
    struct import_scan scan;
    struct import_rejects rejects;
    struct import_build build;
    struct sink_version version;
    struct sink_state *sink;
    struct column_summary *summaries;
    uint64_t rows_checksum;
};

static void
end_work(struct work *work)
{
    work->task->sink->close(&work->sink);
    import_rejects_free(&work->rejects);
    import_keys_free(&work->scan.keys);
    csv_decode_close(&work->source);
}
#define scoped_work SCOPED(end_work) struct work

static bool
report_decoding(void *context, uint64_t source_bytes, struct err *err)
{
    struct work *work = context;
    return import_progress_at(&work->progress, source_bytes, work->task->source_length, err);
}

static bool
decode(struct arena *a, struct work *work, struct err *err)
{
    const struct import_task *task = work->task;
    if (task->source_length == 0)
        return err_set_code(err, ERR_INVALID, "empty_file", "the file is empty");
    struct csv_source source = {task->source_offset, task->source_length,
                                task->options->encoding, task->config->imports_file_bytes_max};
    const char *path = folder_path(a, task, "decoded");
    scoped_fd temporary = fs_open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, err);
    if (temporary < 0)
        return false;
    /* The name goes at once, so that no end of this process leaves the file behind. */
    if (unlink(path))
        return err_set_errno(err, "removing a temporary file");
    bool ok = csv_decode_open(&work->source, task->source_fd, &source, temporary,
                              report_decoding, work, err);
    work->progress.passes_done++;
    return ok;
}

static bool
report_waiting(void *context, struct err *err)
{
    struct work *work = context;
    return import_progress_at(&work->progress, 0, 1, err);
}

static bool
build(struct arena *a, struct work *work, struct err *err)
{
    const struct sink *sink = work->task->sink;
    struct sink_size size = {work->scan.row_count, work->scan.text_bytes,
                             work->scan.text_bytes_max};
    work->progress.phase = "indexing";
    work->progress.pass_count += work->version.base != NULL;
    if (!sink->begin(work->sink, &size, err))
        return false;
    work->build = (struct import_build){
        .task = work->task,
        .source = &work->source,
        .plan = &work->plan,
        .scan = &work->scan,
        .rejects = &work->rejects,
        .progress = &work->progress,
        .base = work->version.base,
        .rows = work->sink,
    };
    work->summaries = arena_array(a, work->plan.schema.column_count, struct column_summary);
    return import_build_run(&work->build, err) &&
           sink->finish(work->sink, report_waiting, work, work->summaries, &work->rows_checksum,
                        err);
}

static bool
run_steps(struct arena *a, struct work *work, struct err *err)
{
    const struct import_task *task = work->task;
    struct import_plan *plan = &work->plan;
    if (!check_disk(task, task->source_length, err) || !decode(a, work, err))
        return false;
    import_rejects_init(&work->rejects, task, work->source.bom_bytes);
    if (!import_plan_make(a, task, work->source.text, plan, err))
        return false;
    work->version = (struct sink_version){
        .data_dir = task->data_dir,
        .dataset_id = task->dataset_id,
        .job_id = task->job_id,
        .schema = &plan->schema,
        .base = plan->is_append || plan->is_upsert ? task->base : NULL,
    };
    work->sink = task->sink->open(&work->version, err);
    if (!work->sink || !check_disk(task, work->source.text.n, err) ||
        !import_scan_run(a, &work->source, plan,
                         task->options->decimal ? task->options->decimal : '.', &work->progress,
                         &work->scan, err))
        return false;
    return build(a, work, err) && sync_folders(a, task, err) &&
           import_progress_last(&work->progress, "publishing", err);
}

static void
fill_publication(struct arena *a, const struct work *work, const char *sha256, double seconds,
                 struct dataset_publication *out)
{
    const struct import_task *task = work->task;
    struct import_receipt receipt = {task,         &work->plan, &work->source,
                                     &work->build, sha256,      seconds};
    scoped_buf schema;
    buf_init(&schema, 4 * MIB);
    schema_add_json(&schema, &work->plan.schema);
    *out = (struct dataset_publication){
        .dataset = task->dataset,
        .job_id = task->job_id,
        .schema_json = arena_str(a, buf_str(&schema)),
        .summaries_json = import_summaries_json(a, &work->plan.schema, work->summaries),
        .source_sha256 = arena_str(a, str_from(sha256)),
        .source = task->source_name,
        .label = task->options->label,
        .receipt_json = import_receipt_json(a, &receipt),
        .base_version = task->options->mode == IMPORT_REPLACE ? DATASET_ANY_BASE
                        : task->base                          ? task->base->number
                                                              : 0,
        .row_count = (int64_t)work->build.version_rows,
        .source_bytes = (int64_t)task->source_length,
        .kept = task->config->imports_versions_kept,
        .rows_checksum = work->rows_checksum,
    };
}

/* The error that stopped the import stays the one that is told, also when the folder cannot be
 * removed: the sweep tries again. */
static bool
leave_nothing(struct arena *a, struct work *work)
{
    const struct import_task *task = work->task;
    struct err ignored;
    (void)!import_progress_last(&work->progress, NULL, &ignored);
    const char *path = folder_path(a, task, "");
    if (fs_remove_tree(AT_FDCWD, path, &ignored))
        /* The dataset's own folder goes when this was all in it. */
        (void)!rmdir(arena_printf(a, "%.*s", (int)(strrchr(path, '/') - path), path).p);
    return false;
}

bool
import_run(struct arena *a, const struct import_task *task, struct dataset_publication *out,
           struct err *err)
{
    uint64_t begin_us = clock_steady_us();
    /* Decoding, scanning and building. */
    scoped_work work = {.task = task};
    work.progress = (struct import_progress){.task = task, .phase = "reading", .pass_count = 3};
    scoped_digest digest = {0};
    const char *folder = folder_path(a, task, "");
    /* What an earlier attempt of the same job left goes first. */
    if (!fs_remove_tree(AT_FDCWD, folder, err) || !fs_make_dirs(folder, err))
        return false;
    if (!digest_start(&digest, task->source_fd, task->source_offset, task->source_length,
                      err) ||
        !run_steps(a, &work, err) || !digest_finish(&digest, err))
        return leave_nothing(a, &work);
    double seconds = (double)((clock_steady_us() - begin_us) / 1000) / 1000;
    fill_publication(a, &work, digest.hex, seconds, out);
    return true;
}
