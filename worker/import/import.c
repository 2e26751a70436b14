/* One import from its source to a complete folder, in the order of
 * work.h. The SHA-256 of the source is taken beside everything else, on a thread of its
 * own. */
#include "import/work.h"

#include "base/clock.h"
#include "base/digest.h"
#include "index/tfidf.h"
#include "index/trigrams.h"
#include "role/disk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* rows.db and the columns file each hold about the text once, the trigrams file a third. */
#define DISK_SHARE 2.8

/* ---- the folder ---- */

static bool
check_disk(const struct import_task *task, uint64_t text_bytes, struct err *err)
{
    uint64_t free_bytes = disk_free_bytes(task->data_dir);
    uint64_t needed = (uint64_t)((double)text_bytes * DISK_SHARE) + DISK_RESERVE;
    return free_bytes >= needed ||
           err_set(err, ERR_DISK_FULL,
                   "this import needs about %llu MiB of disk, and %llu MiB are free",
                   (unsigned long long)(needed / MIB), (unsigned long long)(free_bytes / MIB));
}

static const char *
folder_path(struct arena *a, const struct import_task *task, const char *file)
{
    return arena_printf(a, "%s/%" STR_FMT "%s%s", task->data_dir, STR_ARG(task->dataset_folder),
                        *file ? "/" : "", file)
        .p;
}

/* What an earlier attempt of the same job left goes first. */
static bool
make_folder(struct arena *a, const struct import_task *task, struct err *err)
{
    const char *path = folder_path(a, task, "");
    return fs_remove_tree(AT_FDCWD, path, err) && fs_make_dirs(path, err);
}

static int
open_in_folder(struct arena *a, const struct import_task *task, const char *file,
               struct err *err)
{
    return fs_open_at(AT_FDCWD, folder_path(a, task, file), O_RDWR | O_CREAT | O_EXCL, err);
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
    struct import_base base;
    struct import_rejects rejects;
    struct import_build build;
    struct import_pipe *pipe;
    int columns_fd;
    struct column_summary *summaries;
    uint64_t rows_checksum;
};

static void
end_work(struct work *work)
{
    import_pipe_close(&work->pipe);
    fs_close(&work->columns_fd);
    import_rejects_free(&work->rejects);
    import_base_close(&work->base);
    import_scan_free(&work->scan);
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
    scoped_fd temporary = open_in_folder(a, task, "decoded", err);
    if (temporary < 0)
        return false;
    /* The name goes at once, so that no end of this process leaves the file behind. */
    if (unlink(folder_path(a, task, "decoded")))
        return err_set_errno(err, "removing a temporary file");
    bool ok = csv_decode_open(&work->source, task->source_fd, &source, temporary,
                              report_decoding, work, err);
    work->progress.passes_done++;
    return ok;
}

static bool
open_pipe(struct arena *a, struct work *work, struct err *err)
{
    const struct schema *schema = &work->plan.schema;
    size_t count = schema->column_count;
    struct rows_column *rows = arena_array(a, count, struct rows_column);
    struct columns_spec *specs = arena_array(a, count, struct columns_spec);
    for (size_t i = 0; i < count; i++) {
        const struct schema_column *column = &schema->columns[i];
        rows[i] = (struct rows_column){column->name, column->type,
                                       work->scan.text_bytes[i] + work->base.text_bytes_max[i]};
        specs[i] = (struct columns_spec){column->type, work->scan.text_bytes_max[i] +
                                                           work->base.text_bytes_max[i]};
    }
    work->columns_fd = open_in_folder(a, work->task, COLUMNS_FILE_NAME, err);
    if (work->columns_fd < 0)
        return false;
    struct import_files files = {.rows_path = folder_path(a, work->task, ROWS_FILE_NAME),
                                 .trigrams_path =
                                     folder_path(a, work->task, TRIGRAMS_FILE_NAME),
                                 .tfidf_path = folder_path(a, work->task, TFIDF_FILE_NAME),
                                 .columns_fd = work->columns_fd};
    size_t *similar;
    files.similar_count = schema_similar_columns(a, schema, &similar);
    files.similar = similar;
    work->pipe = import_pipe_open(&files, rows, specs, count,
                                  work->scan.row_count + work->base.row_count, err);
    return work->pipe;
}

static bool
build(struct arena *a, struct work *work, struct err *err)
{
    work->progress.phase = "indexing";
    work->progress.pass_count += work->base.rows != NULL;
    if (!open_pipe(a, work, err))
        return false;
    work->build = (struct import_build){
        .task = work->task,
        .source = &work->source,
        .plan = &work->plan,
        .scan = &work->scan,
        .base = &work->base,
        .rejects = &work->rejects,
        .progress = &work->progress,
        .pipe = work->pipe,
    };
    work->summaries = arena_array(a, work->plan.schema.column_count, struct column_summary);
    return import_build_run(&work->build, err) &&
           import_pipe_finish(work->pipe, &work->progress, work->summaries,
                              &work->rows_checksum, err);
}

static bool
run_steps(struct arena *a, struct work *work, struct err *err)
{
    const struct import_task *task = work->task;
    if (!check_disk(task, task->source_length, err) || !decode(a, work, err))
        return false;
    import_rejects_init(&work->rejects, task, work->source.bom_bytes);
    if (!import_plan_make(a, task, work->source.text, &work->plan, err) ||
        !import_base_open(a, task, &work->plan, &work->base, err) ||
        !check_disk(task, work->source.text.n, err) ||
        !import_scan_run(a, &work->source, &work->plan,
                         task->options->decimal ? task->options->decimal : '.', &work->progress,
                         &work->scan, err))
        return false;
    /* The columns file is not verified: what would be read back are the pages just written. */
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
    scoped_work work = {.task = task, .columns_fd = -1};
    work.progress = (struct import_progress){.task = task, .phase = "reading", .pass_count = 3};
    scoped_digest digest = {0};
    if (!make_folder(a, task, err))
        return false;
    if (!digest_start(&digest, task->source_fd, task->source_offset, task->source_length,
                      err) ||
        !run_steps(a, &work, err) || !digest_finish(&digest, err))
        return leave_nothing(a, &work);
    double seconds = (double)((clock_steady_us() - begin_us) / 1000) / 1000;
    fill_publication(a, &work, digest.hex, seconds, out);
    return true;
}
