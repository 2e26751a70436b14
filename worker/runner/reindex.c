#include "runner/reindex.h"

#include "embedded/files.h"
#include "json/read.h"
#include "json/write.h"

#define RECEIPT_BYTES_MAX (4 * KIB)

static size_t
slots(const struct config *config UNUSED)
{
    return 1; /* several cores are busy with one */
}

static bool
prepare(struct arena *a, const struct job_host *host, struct job_work *work, struct err *err)
{
    struct dataset_version *version = arena_array(a, 1, struct dataset_version);
    const struct json_value *options;
    int64_t number;
    if (!json_read(a, work->job.options, &options, err))
        return false;
    if (!json_as_i64(json_get(options, "version"), &number) || number < 1)
        return err_set(err, ERR_INTERNAL, "'%" STR_FMT "' names no version",
                       STR_ARG(work->job.options));
    work->own = version;
    return dataset_version_get(a, host->db, work->job.dataset, number, version, err);
}

static bool
run(struct arena *a, const struct job_work *work, job_progress_fn *on_progress, void *context,
    struct err *err)
{
    const struct dataset_version *version = work->own;
    struct job_progress progress = {.phase = STR("indexing")};
    if (!on_progress(context, &progress, err))
        return false;
    if (!EMBEDDED_FILES.reindex(arena_cstr(a, work->config->data_dir), version, err))
        return false;
    progress.rows_done = (uint64_t)version->row_count;
    return on_progress(context, &progress, err);
}

static bool
finish(struct arena *a, const struct job_host *host, const struct job_work *work,
       bool *starts_again, struct err *err)
{
    const struct dataset_version *version = work->own;
    scoped_buf receipt;
    buf_init(&receipt, RECEIPT_BYTES_MAX);
    struct json j = json_write(&receipt);
    json_begin_object(&j);
    json_member_str(&j, "dataset", work->job.dataset);
    json_member_i64(&j, "version", version->number);
    json_member_i64(&j, "rows", version->row_count);
    json_end_object(&j);
    *starts_again = false;
    return integrity_store_reindexed(host->writer, version, work->job.id,
                                     arena_str(a, buf_str(&receipt)), err);
}

const struct job_kind JOB_REINDEX = {
    .name = "reindex",
    .worker = "the process that makes index files",
    .crash_code = "reindex_crashed",
    .steps = {{"reindex", "indexing", false, NULL, run}},
    .slots = slots,
    .prepare = prepare,
    .finish = finish,
};
