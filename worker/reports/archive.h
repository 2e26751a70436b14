/* The runs of the reports: rows of report_run and report in playmeter.db, and the operations
 * that add them.  The reports themselves are files, which are in place before their run is
 * stored (see run.h). */
#pragma once

#include "config/config.h"
#include "jobs/job.h"
#include "reports/run.h"
#include "json/write.h"

struct archive_report {
    struct str name;
    struct str sha256; /* of the JSON file; "" when the report failed */
    uint64_t bytes;
    struct str warnings_json; /* [{code, detail}] */
    struct str error_json;    /* {code, detail}; "" when it succeeded */
};
struct archive_run {
    struct str job_id, date; /* YYYY-MM-DD: D-1 */
    bool is_scheduled;
    struct str inputs_json; /* [{dataset, version, sha256, rows}] */
    int64_t finished_at;    /* ms; set when the run is stored */
    struct archive_report *reports;
    size_t report_count;
    struct str receipt_json; /* the job's result; set when the run is stored */
};
#define ARCHIVE_REPORTS_MAX 64

/* Fills all of `out` but job_id, is_scheduled (which it reads) and finished_at.  Strings may be
 * the result's. */
void archive_describe(struct arena *a, const struct run_result *result, double seconds,
                      struct archive_run *out);
extern const struct codec ARCHIVE_RUN; /* on its way to the writer, and as a file */
/* The members of a run: date, scheduled, inputs, reports. */
void archive_add_json(struct json *j, const struct archive_run *run);
/* Stores the run and finishes its job with the receipt, in one transaction.  Conflicts as of
 * job_finish. */
MUST_CHECK bool archive_store(struct writer *w, const struct archive_run *run, struct err *err);

struct archive_filter {
    struct str before_id; /* page: jobs with ids below this one; "" for the newest */
    struct str date;      /* "" for any */
    uint64_t limit;
};
/* Newest first, in the arena, without receipts. */
MUST_CHECK bool archive_list(struct arena *a, struct db *db,
                             const struct archive_filter *filter, struct archive_run **out,
                             size_t *out_count, struct err *err);
/* The last run that made the report `name` for `date`, or ("") for the newest date that has
 * one: sets its report, and job_id, date and finished_at of the run.  1 found, 0 none, -1
 * error. */
MUST_CHECK int archive_find(struct arena *a, struct db *db, struct str name, struct str date,
                            struct archive_report *out, struct archive_run *out_run,
                            struct err *err);

/* The path of the folder with the report files, from reports.output_dir. */
const char *archive_folder(struct arena *a, const struct config *config);

/* The options of a report job. */
struct archive_request {
    struct str date; /* "" for the newest day of the inputs */
    bool is_scheduled;
};
/* A job ready to be enqueued, with a new id. */
struct job archive_job(struct arena *a, const struct archive_request *request);
MUST_CHECK bool archive_job_parse(struct arena *a, struct str options,
                                  struct archive_request *out, struct err *err);
/* Enqueues `job` as the scheduled run of `day` (YYYY-MM-DD) unless that day has one; day and
 * job are stored in one transaction. */
MUST_CHECK bool archive_schedule(struct writer *w, struct str day, const struct job *job,
                                 bool *is_enqueued, struct err *err);

extern const struct operation REPORT_OPERATIONS[]; /* ends with a NULL name */
