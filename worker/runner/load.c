#include "runner/load.h"

#include "catalogue/integrity.h"
#include "embedded/files.h"
#include "embedded/sink.h"
#include "fetch/fetch.h"

#include <fcntl.h>
#include <stdio.h>

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
is_declared_public(const struct config *config, struct str name)
{
    for (size_t i = 0; i < config->dataset_count; i++)
        if (str_eq(config->datasets[i].name, name))
            return config->datasets[i].is_public;
    return false;
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
    if (!str_eq(job->kind, STR("import")))
        return err_set(err, ERR_INTERNAL, "there are no jobs of kind '%" STR_FMT "'",
                       STR_ARG(job->kind));
    if (!import_job_parse(a, job->options, &load.import, err) ||
        !dataset_ensure(w, job->dataset, is_declared_public(config, job->dataset),
                        &load.dataset_id, err) ||
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
    (void)!load_remove_partial(a, load, &ignored);
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
load_remove_source(struct arena *a, const struct load *load, struct err *err)
{
    return fs_remove_tree(AT_FDCWD, spool_path(a, load, "source"), err);
}

bool
load_remove_partial(struct arena *a, const struct load *load, struct err *err)
{
    return fs_remove_tree(AT_FDCWD, spool_path(a, load, DATASET_PARTIAL_SOURCE), err);
}

bool
load_remove_folder(struct arena *a, const struct load *load, struct err *err)
{
    const char *data_dir = arena_cstr(a, load->config->data_dir);
    return EMBEDDED_FILES.drop(data_dir, load->dataset_id, load->job.id, err);
}

/* ---- the publication as a file ---- */

bool
load_write_publication(struct arena *a, const struct load *load,
                       const struct dataset_publication *publication, struct err *err)
{
    scoped_buf out;
    buf_init(&out, PUBLICATION_BYTES_MAX);
    dataset_publication_add(&out, publication);
    if (out.is_full)
        return err_set(err, ERR_INTERNAL, "the description of the version is over %zu bytes",
                       PUBLICATION_BYTES_MAX);
    return fs_replace_file(AT_FDCWD, spool_path(a, load, "publication"), buf_str(&out), 0600,
                           err);
}

bool
load_read_publication(struct arena *a, const struct load *load, struct dataset_publication *out,
                      struct err *err)
{
    scoped_buf bytes;
    buf_init(&bytes, PUBLICATION_BYTES_MAX);
    return fs_read_file(&bytes, AT_FDCWD, spool_path(a, load, "publication"), err) &&
           dataset_publication_read(arena_str(a, buf_str(&bytes)), out, err);
}
