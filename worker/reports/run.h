/* A run: reads the inputs, makes every report that can be made, puts the files into place.
 *
 *     OUTPUT/2025-10-20/roas_d1.json, roas_d1.csv, ...     the newest also as
 *     OUTPUT/roas_d1.json
 *
 * The same inputs give the same bytes, except for generated_at.  A report that fails leaves its
 * earlier files in place, which say from which inputs they were made. */
#pragma once

#include "jobs/job.h"
#include "reports/report.h"

struct run_task {
    const struct config *config;
    int64_t day;       /* or REPORT_DAY_NEWEST */
    bool is_scheduled; /* warns with stale_inputs when no input is newer than the day */
    struct input_source inputs[INPUT_COUNT];
    struct db *events; /* NULL: reports that need events are left out, and the result says so */
    const char *output_dir;
    int64_t generated_at; /* ms */
    bool (*on_progress)(void *context, const struct job_progress *progress, struct err *err);
    void *context;
};
struct run_report {
    const struct report *report;
    struct err err;  /* why it failed; ERR_NONE: it succeeded */
    char sha256[65]; /* of the JSON */
    uint64_t bytes;
    struct report_warning *warnings;
    size_t warning_count;
};
/* Code of a report that is left out because it needs events and `events` is NULL. */
#define RUN_NEEDS_SERVICE "needs_service"
/* Code of a run or a report whose files could not be written or put into place; the detail may
 * contain their path. */
#define RUN_OUTPUT_UNWRITABLE "output_unwritable"
struct run_result {
    int64_t day;
    struct run_report *reports;              /* REPORT_COUNT of them, in the arena */
    struct input_source inputs[INPUT_COUNT]; /* with their hashes and row counts */
};
/* False only when no report could be made: no input exists, the day had not begun at
 * generated_at, the disk failed, or the run was cancelled. */
MUST_CHECK bool run_reports(struct arena *a, const struct run_task *task,
                            struct run_result *out, struct err *err);

/* future_date (422) for a day that has not begun (UTC).  The files in the root folder are
 * those of the newest day, so those of a mistyped year would never be replaced. */
MUST_CHECK bool run_check_day(int64_t day, int64_t now_ms, struct err *err);

/* Removes what a killed run left: temporary files, and the folder of a day without reports,
 * which would pass for the newest day.  Does nothing while another run has the folder locked.
 */
MUST_CHECK bool run_clean(const char *output_dir, struct err *err);
/* The same in a folder that is open and locked; every run begins with it. */
MUST_CHECK bool run_clean_locked(int root, struct err *err);
