/* Writes a report's two files, NAME.json and NAME.csv, side by side with constant memory: the
 * items of the list that is also in the CSV are written once and appear in both.
 *
 *     if (odd) output_warn(out, "payers_exceed_dau", "...");      before output_members
 *     struct json *json = output_members(out);                    writes the frame once
 *     json_key(json, "campaigns"); json_begin_array(json);
 *     for (...) {
 *         output_begin_item(out);
 *         output_str(out, "campaign", ...);
 *         output_end_item(out);
 *     }
 *     json_end_array(json);
 *
 * Files are written under a temporary name in their folder and fsynced; when all are complete
 * they are renamed.  A kill leaves the earlier files in place. */
#pragma once

#include "reports/data.h"
#include "json/write.h"

struct report;
struct report_run;
struct report_output;

/* Adds a warning.  Warnings are in the frame, so this must come before output_members. */
void output_warn(struct report_output *out, const char *code, const char *fmt, ...)
    PRINTF(3, 4);
/* Where the report's own members are written.  The first call writes the frame (report, date,
 * generated_at, inputs, definitions, warnings).  The depth is that of the document's object. */
struct json *output_members(struct report_output *out);

/* Items of the list that the CSV holds: begin, the members by output_*, end.  Members that are
 * no column of the CSV are in the JSON alone; a column without a member is empty.  Outside of
 * items output_* write members of the object that is open in the JSON: totals, summaries. */
void output_begin_item(struct report_output *out);
void output_end_item(struct report_output *out);
/* The same for an item of any other long list, which is only in the JSON. */
void output_begin_json_item(struct report_output *out);
void output_end_json_item(struct report_output *out);

void output_str(struct report_output *out, const char *key, struct str value);
void output_i64(struct report_output *out, const char *key, int64_t value);
void output_bool(struct report_output *out, const char *key, bool value);
void output_null(struct report_output *out, const char *key);
void output_money(struct report_output *out, const char *key, int64_t millionths);
void output_ratio(struct report_output *out, const char *key, int64_t numerator,
                  int64_t denominator); /* null when the denominator is not positive */
void output_timestamp(struct report_output *out, const char *key, int64_t ms);
void output_day(struct report_output *out, const char *key, int64_t day);
/* A number already formatted as JSON. */
void output_number(struct report_output *out, const char *key, struct str json);

/* ---- for run.c ---- */

/* Creates the two temporary files in `folder`; fails when one of the names exists. */
MUST_CHECK struct report_output *output_open(int folder, const struct report *report,
                                             const struct report_run *run, int64_t generated_at,
                                             struct err *err);
struct output_done {
    char sha256[65]; /* of the JSON */
    uint64_t bytes;
    struct report_warning *warnings; /* in the arena */
    size_t warning_count;
};
/* Completes the document and fsyncs both files, which keep their temporary names. */
MUST_CHECK bool output_finish(struct arena *a, struct report_output *out,
                              struct output_done *done, struct err *err);
/* Renames them into place.  With `root` (a folder, or -1) they appear there too. */
MUST_CHECK bool output_publish(struct report_output *out, int root, struct err *err);
/* Frees the output and removes files that were not published; accepts NULL. */
void output_close(struct report_output **out);

/* Elements of a list of inputs, and a list of warnings, for whoever tells of reports. */
void output_add_input(struct json *json, enum input_kind kind,
                      const struct input_source *input);
void output_add_warnings(struct json *json, const struct report_warning *warnings,
                         size_t count);
