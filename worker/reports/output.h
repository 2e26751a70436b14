/* A report's two files on their way to the disk, NAME.json and NAME.csv, written side by side
 * with flat memory: items of the list that the CSV holds are written once and appear in both.
 *
 * Files are made under a temporary name in the folder they are for, fsynced and renamed when
 * all of them are whole; a kill leaves what was there before. */
#pragma once

#include "reports/data.h"
#include "json/write.h"

struct report_output {
    struct json json; /* into `text`, which goes to disk as it grows */
    struct buf text, csv;
    int json_fd, csv_fd;
    const char *const *columns; /* of the CSV */
    bool is_in_item;
    bool is_failed;
    struct err err; /* the first failure of the disk; looked at once, at the end */
    struct report_warning *warnings;
    size_t warning_count;
};
/* Items of the list that the CSV holds: begin, the members by output_*, end.  Members that are
 * no column of the CSV are in the JSON alone. */
void output_begin_item(struct report_output *out);
void output_end_item(struct report_output *out);
void output_str(struct report_output *out, const char *key, struct str value);
void output_i64(struct report_output *out, const char *key, int64_t value);
void output_bool(struct report_output *out, const char *key, bool value);
void output_null(struct report_output *out, const char *key);
void output_money(struct report_output *out, const char *key, int64_t millionths);
void output_ratio(struct report_output *out, const char *key, int64_t numerator,
                  int64_t denominator); /* null when the denominator is 0 */
void output_moment(struct report_output *out, const char *key, int64_t ms);
void output_day(struct report_output *out, const char *key, int64_t day);
/* Members outside of the items go through out->json; this lets what has grown go to disk. */
void output_flush(struct report_output *out);
