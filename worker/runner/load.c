#include "runner/load.h"

#include "catalogue/integrity.h"
#include "embedded/files.h"
#include "embedded/sink.h"
#include "fetch/fetch.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* On its way from the child that made it to the process that publishes it. */
#define PUBLICATION "publication"
#define PUBLICATION_BYTES_MAX (16 * MIB)

static const char *
spool_path(struct arena *a, const struct load *load, const char *file)
{
    return arena_printf(a, "%" STR_FMT "/spool/%" STR_FMT "%s%s",
                        STR_ARG(load->config->data_dir), STR_ARG(load->job.id),
                        *file ? "/" : "", file)
        .p;
}

static bool
remove_partial(struct arena *a, const struct load *load, struct err *err)
{
    return fs_remove_tree(AT_FDCWD, spool_path(a, load, DATASET_PARTIAL_SOURCE), err);
}

/* Rows are added to what the dataset holds; what a version that stands in for a damaged one
 * holds is less, and nobody would see that any more. */
static bool
check_base(const struct load *load, const struct dataset *dataset, struct err *err)
{
    int64_t damaged = dataset->wanted_version;
    if (load->base.damaged & INTEGRITY_ROWS)
        damaged = dataset->version;
    if (load->import.options.mode == IMPORT_REPLACE || damaged == 0)
        return true;
    return err_set_code(err, ERR_CONFLICT, "version_damaged",
                        "rows cannot be added to dataset '%" STR_FMT
                        "' while its version %lld is damaged: import the whole file "
                        "(mode=replace), put rows.db of that version back and run playmeter "
                        "reindex, or roll back to the version to go on from",
                        STR_ARG(dataset->name), (long long)damaged);
}

bool
load_prepare(struct arena *a, struct db *db, struct writer *w, const struct config *config,
             const struct job *job, struct load *out, struct err *err)
{
    struct load load = {.config = config, .job = *job};
    struct dataset dataset;
    const struct config_dataset *declared = config_find_dataset(config, job->dataset);
    if (!str_eq(job->kind, STR("import")))
        return err_set(err, ERR_INTERNAL, "there are no jobs of kind '%" STR_FMT "'",
                       STR_ARG(job->kind));
    if (!import_job_parse(a, job->options, &load.import, err) ||
        !dataset_ensure(w, job->dataset, declared && declared->is_public, &load.dataset_id,
                        err) ||
        !dataset_get(a, db, job->dataset, &dataset, err))
        return false;
    load.has_base = dataset.version != 0;
    if (load.has_base &&
        (!dataset_version_get(a, db, job->dataset, dataset.version, &load.base, err) ||
         !check_base(&load, &dataset, err)))
        return false;
    *out = load;
    return true;
}

bool
load_needs_fetch(const struct load *load)
{
    return load->import.options.url.n > 0;
}

/* ---- fetch ---- */

struct receiving {
    job_progress_fn *on_progress;
    void *context;
};

static bool
report_receiving(void *context, uint64_t bytes_done, uint64_t bytes_total, struct err *err)
{
    const struct receiving *receiving = context;
    struct job_progress progress = {
        .phase = STR("receiving"), .bytes_done = bytes_done, .bytes_total = bytes_total};
    return receiving->on_progress(receiving->context, &progress, err);
}

bool
load_fetch(struct arena *a, const struct load *load, job_progress_fn *on_progress,
           void *context, struct err *err)
{
    struct fetch_policy policy = import_fetch_policy(a, load->config);
    struct receiving receiving = {on_progress, context};
    const char *partial = spool_path(a, load, DATASET_PARTIAL_SOURCE);
    const char *whole = spool_path(a, load, "source");
    uint64_t bytes;
    if (!fs_make_dirs(spool_path(a, load, ""), err))
        return false;
    scoped_fd fd = fs_open_at(AT_FDCWD, partial, O_RDWR | O_CREAT | O_TRUNC, err);
    if (fd < 0)
        return false;
    bool ok = fetch_url(load->import.options.url, fd, &policy, report_receiving, &receiving,
                        &bytes, err);
    if (ok && rename(partial, whole) == 0)
        return true;
    if (ok)
        err_set_errno(err, "%s", whole);
    struct err ignored; /* the sweep tries again */
    (void)!remove_partial(a, load, &ignored);
    return fetch_explain(load->import.options.url, err);
}

/* ---- load ---- */

bool
load_run(struct arena *a, const struct load *load, job_progress_fn *on_progress, void *context,
         struct dataset_publication *out, struct err *err)
{
    scoped_fd source = fs_open_at(AT_FDCWD, spool_path(a, load, "source"), O_RDONLY, err);
    if (source < 0)
        return err->kind == ERR_NOT_FOUND
                   ? err_set_code(err, ERR_GONE, "source_gone",
                                  "the source of the import is no longer in the spool; send it "
                                  "again")
                   : false;
    scoped_fd rejects = fs_open_at(AT_FDCWD, spool_path(a, load, "rejects.ndjson"),
                                   O_RDWR | O_CREAT | O_TRUNC, err);
    if (rejects < 0)
        return false;
    struct import_task task = {
        .config = load->config,
        .data_dir = arena_cstr(a, load->config->data_dir),
        .sink = &EMBEDDED_SINK,
        .job_id = load->job.id,
        .dataset = load->job.dataset,
        .options = &load->import.options,
        .source_fd = source,
        .source_offset = load->import.source_offset,
        .source_length = load->import.source_length,
        .source_name = load->job.source,
        .base = load->has_base ? &load->base : NULL,
        .dataset_id = load->dataset_id,
        .rejects_fd = rejects,
        .on_progress = on_progress,
        .context = context,
    };
    if (load_needs_fetch(load) && !fs_size(source, &task.source_length, err))
        return false;
    return import_run(a, &task, out, err) || fetch_explain(load->import.options.url, err);
}

bool
load_remove_folder(struct arena *a, const struct load *load, struct err *err)
{
    const char *data_dir = arena_cstr(a, load->config->data_dir);
    return EMBEDDED_FILES.drop(data_dir, load->dataset_id, load->job.id, err);
}

/* ---- the kind of job ---- */

static size_t
slots(const struct config *config)
{
    return (size_t)config->imports_concurrent;
}

static bool
prepare(struct arena *a, const struct job_host *host, struct job_work *work, struct err *err)
{
    struct load *load = arena_array(a, 1, struct load);
    if (!load_prepare(a, host->db, host->writer, host->config, &work->job, load, err))
        return false;
    work->bytes_total = load->import.source_length;
    work->own = load;
    return true;
}

static bool
needs_fetch(const struct job_work *work)
{
    return load_needs_fetch(work->own);
}

static bool
fetch(struct arena *a, const struct job_work *work, job_progress_fn *on_progress, void *context,
      struct err *err)
{
    return load_fetch(a, work->own, on_progress, context, err);
}

static bool
run(struct arena *a, const struct job_work *work, job_progress_fn *on_progress, void *context,
    struct err *err)
{
    struct dataset_publication publication;
    scoped_buf out = {.max = PUBLICATION_BYTES_MAX};
    if (!load_run(a, work->own, on_progress, context, &publication, err))
        return false;
    codec_add(&out, &DATASET_PUBLICATION, &publication);
    if (out.is_full)
        return err_set(err, ERR_INTERNAL, "the description of the version is over %zu bytes",
                       PUBLICATION_BYTES_MAX);
    return fs_replace_file(AT_FDCWD, spool_path(a, work->own, PUBLICATION), buf_str(&out), 0600,
                           err);
}

static bool
finish(struct arena *a, const struct job_host *host, const struct job_work *work,
       bool *starts_again, struct err *err)
{
    scoped_buf bytes = {.max = PUBLICATION_BYTES_MAX};
    int64_t number;
    *starts_again = true;
    if (!fs_read_file(&bytes, AT_FDCWD, spool_path(a, work->own, PUBLICATION), err))
        return false;
    const struct dataset_publication *publication =
        codec_read(a, &DATASET_PUBLICATION, buf_str(&bytes), err);
    if (!publication)
        return false;
    if (dataset_publish(host->writer, publication, &number, err))
        return true;
    *starts_again = strcmp(err_code(err), "base_changed") == 0;
    return false;
}

static bool
clean(struct arena *a, const struct job_work *work, struct err *err)
{
    return remove_partial(a, work->own, err) && load_remove_folder(a, work->own, err);
}

static bool
remove_source(struct arena *a, const struct job_work *work, struct err *err)
{
    /* Also of a job that the full disk kept from being prepared. */
    struct load load = {.config = work->config, .job = work->job};
    return fs_remove_tree(AT_FDCWD, spool_path(a, &load, "source"), err);
}

const struct job_kind JOB_IMPORT = {
    .name = "import",
    .worker = "the importer",
    .crash_code = "importer_crashed",
    .steps =
        {
            {"fetch", "receiving", true, needs_fetch, fetch},
            {"load", "reading", false, NULL, run},
        },
    .slots = slots,
    .prepare = prepare,
    .finish = finish,
    .clean = clean,
    .remove_source = remove_source,
};
