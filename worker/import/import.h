/* From a source file to a published version: the work of the load child, and of `playmeter
 * import`.  Nothing here forks or opens a network connection. */
#pragma once

#include "catalogue/dataset.h"
#include "config/config.h"
#include "import/options.h"
#include "import/sink.h"

struct import_task {
    const struct config *config;
    const char *data_dir;
    const struct sink *sink;
    struct str job_id, dataset;
    const struct import_options *options;
    int source_fd; /* the CSV as it came */
    uint64_t source_offset, source_length;
    struct str source_name;             /* for the receipt */
    const struct dataset_version *base; /* NULL: nothing published yet */
    int64_t dataset_id;                 /* its folder of this job is made here */
    int rejects_fd; /* NDJSON of {line, offset, column, reason, raw}; capped */
    /* Called from one thread, often enough for job.h's promise; false cancels. */
    bool (*on_progress)(void *context, const struct job_progress *progress, struct err *err);
    void *context;
};
/* Reads, checks, has the sink make the version, fsyncs, and fills what is to be published
 * (strings in the arena).  `summaries_json` is an array with, per column in order, {"column",
 * "nulls", "distinct", "min", "max"}: min and max as a page of rows shows them (dates as text),
 * null where the column has no range.  Errors carry the codes that a failed job shows: not_csv,
 * empty_file, missing_columns, too_large, too_many_columns, too_many_errors, all_rows_rejected,
 * cancelled, ..., of a damaged base rows_damaged, and nothing of the folder is left. */
MUST_CHECK bool import_run(struct arena *a, const struct import_task *task,
                           struct dataset_publication *out, struct err *err);

/* What somebody wants imported. */
struct import_request {
    const struct config *config;
    const char *data_dir;
    struct str dataset; /* name; need not exist yet */
    const struct import_options *options;
    /* A file that is hard-linked into the spool, or copied from where it cannot be linked
     * (another file system); NULL for options->url.  It may be unlinked as soon as this
     * returns, and is not to be written to any more. */
    const char *source_path;
    /* Or an open file that is copied, from its beginning, because it stays its owner's; NULL
     * for none. */
    const int *source_fd;
    uint64_t source_offset, source_length; /* the CSV's bytes in it; 0, 0: the whole file */
    struct str source_name;                /* file name the user gave; "" for options->url */
    struct str request_id;                 /* for the log; "" for none */
};
/* Checks what can be known before any row is read (dataset name 422 invalid, options, URL, 507
 * disk_full), puts the source under spool/<job id>/source and enqueues a job of kind "import".
 * `job_id` is in the arena.  On failure nothing is left in the spool. */
MUST_CHECK bool import_submit(struct arena *a, struct writer *w,
                              const struct import_request *request, struct str *job_id,
                              struct err *err);

/* The settings of section fetch; the ports are the arena's. */
struct fetch_policy;
struct fetch_policy import_fetch_policy(struct arena *a, const struct config *config);

/* What a job of kind "import" keeps in its options.  A URL is there in full, query included,
 * for as long as it may be fetched: it goes from the database when the job ends (a trigger of
 * the table). */
struct import_job {
    struct import_options options;
    uint64_t source_offset, source_length; /* in spool/<job id>/source; unknown (0) for a URL */
};
MUST_CHECK bool import_job_parse(struct arena *a, struct str options_json,
                                 struct import_job *out, struct err *err);
