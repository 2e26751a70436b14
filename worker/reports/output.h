/* A report's two files on their way to the disk, NAME.json and NAME.csv, written side by side
 * with flat memory: items of the list that the CSV holds are written once and appear in both.
 *
 *     if (odd) output_warn(out, "payers_exceed_dau", "...");      before the first member
 *     struct json *json = output_members(out);                    writes the frame once
 *     json_key(json, "campaigns"); json_begin_array(json);
 *     for (...) {
 *         output_begin_item(out);
 *         output_str(out, "campaign", ...);
 *         output_end_item(out);
 *     }
 *     json_end_array(json);
 *
 * Files are made under a temporary name in the folder they are for, fsynced and renamed when
 * all of them are whole; a kill leaves what was there before. */
#pragma once

#include "reports/data.h"
#include "json/write.h"

struct report;
struct report_run;
struct report_output;

/* Shown in the frame, so it has to be known before the first output_members. */
void output_warn(struct report_output *out, const char *code, const char *fmt, ...)
    PRINTF(3, 4);
/* Where the report's members go; the frame (report, date, generated_at, inputs, definitions,
 * warnings) stands before the first.  The depth is that of the document's object. */
struct json *output_members(struct report_output *out);

/* Items of the list that the CSV holds: begin, the members by output_*, end.  Members that are
 * no column of the CSV are in the JSON alone; a column without a member is empty.  Outside of
 * items output_* write members of the object that is open in the JSON: totals, summaries. */
void output_begin_item(struct report_output *out);
void output_end_item(struct report_output *out);
/* Items of any other list of many: the same, in the JSON alone. */
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
/* A figure that is JSON already, such as a decimal of the report's own. */
void output_number(struct report_output *out, const char *key, struct str json);

/* ---- the runner's side ---- */

/* Makes the two temporary files in `folder`, where none of the names may be. */
MUST_CHECK struct report_output *output_open(int folder, const struct report *report,
                                             const struct report_run *run, int64_t generated_at,
                                             struct err *err);
struct output_done {
    char sha256[65]; /* of the JSON */
    uint64_t bytes;
    struct report_warning *warnings; /* in the arena */
    size_t warning_count;
};
/* Closes the document; both files are whole and on the disk, still under temporary names. */
MUST_CHECK bool output_finish(struct arena *a, struct report_output *out,
                              struct output_done *done, struct err *err);
/* Puts them in place.  With `root` (a folder, or -1) also there. */
MUST_CHECK bool output_publish(struct report_output *out, int root, struct err *err);
/* Removes what was not published; accepts NULL. */
void output_close(struct report_output **out);

/* Elements of a list of inputs, and a list of warnings, for whoever tells of reports. */
void output_add_input(struct json *json, enum input_kind kind,
                      const struct input_source *input);
void output_add_warnings(struct json *json, const struct report_warning *warnings,
                         size_t count);
