/* A run: reads the inputs, makes every report that can be made, puts the files in place.
 *
 *     OUTPUT/2025-10-20/roas_d1.json, roas_d1.csv, ...     the newest also as
 *     OUTPUT/roas_d1.json
 *
 * The same inputs give the same bytes, but for generated_at.  A report that cannot be made
 * leaves the files of its name as they are: they say of which inputs they are. */
#pragma once

#include "jobs/job.h"
#include "reports/report.h"

struct run_task {
    const struct config *config;
    int64_t day;       /* or REPORT_DAY_NEWEST */
    bool is_scheduled; /* warns stale_inputs when nothing is newer than the day */
    struct input_source inputs[INPUT_COUNT];
    struct db *events; /* NULL: the reports that need events are left out and it says so */
    const char *output_dir;
    int64_t generated_at; /* ms */
    bool (*on_progress)(void *context, const struct job_progress *progress, struct err *err);
    void *context;
};
struct run_report {
    const struct report *report;
    struct err err;  /* why it was not made; ERR_NONE: it was */
    char sha256[65]; /* of the JSON */
    uint64_t bytes;
    struct report_warning *warnings;
    size_t warning_count;
};
/* Code of a report that is left out because it needs events and there are none to read. */
#define RUN_NEEDS_SERVICE "needs_service"
/* Code of a run or a report whose files could not be made or put in place; the detail may have
 * their path. */
#define RUN_OUTPUT_UNWRITABLE "output_unwritable"
struct run_result {
    int64_t day;
    struct run_report *reports;              /* REPORT_COUNT of them, in the arena */
    struct input_source inputs[INPUT_COUNT]; /* with hash and rows */
};
/* False only when nothing could be made at all: no input is there, the day has not begun by
 * generated_at, the disk failed, or it was cancelled. */
MUST_CHECK bool run_reports(struct arena *a, const struct run_task *task,
                            struct run_result *out, struct err *err);

/* future_date (422) for a day that has not begun (UTC): the files of the newest day stand for
 * all, and nothing would ever be newer than those of a year that was misspelt. */
MUST_CHECK bool run_check_day(int64_t day, int64_t now_ms, struct err *err);

/* Removes what a run that was killed left: temporary files, and the folder of a day that got no
 * report, which would pass for the newest day.  Does nothing while another run is at work in
 * the folder. */
MUST_CHECK bool run_clean(const char *output_dir, struct err *err);
/* The same in a folder that is open and locked, as every run begins. */
MUST_CHECK bool run_clean_locked(int root, struct err *err);
