/* See import.h; the work itself is in load, which the command line shares. */
#include "runner/import.h"

#include "runner/load.h"

#include <string.h>

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
    return load_run(a, work->own, on_progress, context, &publication, err) &&
           load_write_publication(a, work->own, &publication, err);
}

static bool
finish(struct arena *a, const struct job_host *host, const struct job_work *work,
       bool *starts_again, struct err *err)
{
    struct dataset_publication publication;
    int64_t number;
    *starts_again = true;
    if (!load_read_publication(a, work->own, &publication, err))
        return false;
    if (dataset_publish(host->writer, &publication, &number, err))
        return true;
    *starts_again = strcmp(err_code(err), "base_changed") == 0;
    return false;
}

static bool
clean(struct arena *a, const struct job_work *work, struct err *err)
{
    return load_remove_partial(a, work->own, err) && load_remove_folder(a, work->own, err);
}

static bool
remove_source(struct arena *a, const struct job_work *work, struct err *err)
{
    /* Also of a job that the full disk kept from being prepared. */
    struct load load = {.config = work->config, .job = work->job};
    return load_remove_source(a, &load, err);
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
