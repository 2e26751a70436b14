/* What became of a run, as the catalogue keeps it. */
#include "reports/archive.h"

#include "base/date.h"
#include "reports/output.h"

#define JSON_BYTES_MAX MIB

static struct str
inputs_json(struct arena *a, const struct run_result *result)
{
    scoped_buf out = {.max = JSON_BYTES_MAX};
    struct json j = json_write(&out);
    json_begin_array(&j);
    for (size_t i = 0; i < INPUT_COUNT; i++)
        if (result->inputs[i].is_there)
            output_add_input(&j, (enum input_kind)i, &result->inputs[i]);
    json_end_array(&j);
    return arena_str(a, buf_str(&out));
}

static struct archive_report
describe_report(struct arena *a, const struct run_report *made)
{
    scoped_buf warnings = {.max = JSON_BYTES_MAX};
    struct json j = json_write(&warnings);
    output_add_warnings(&j, made->warnings, made->warning_count);
    struct archive_report report = {.name = str_from(made->report->name),
                                    .warnings_json = arena_str(a, buf_str(&warnings))};
    if (made->err.kind == ERR_NONE) {
        report.sha256 = str_from(made->sha256);
        report.bytes = made->bytes;
    } else {
        report.error_json = job_error_json(a, &made->err);
    }
    return report;
}

void
archive_describe(struct arena *a, const struct run_result *result, double seconds,
                 struct archive_run *out)
{
    out->date = date_text(a, result->day);
    out->inputs_json = inputs_json(a, result);
    out->report_count = REPORT_COUNT;
    out->reports = arena_array(a, REPORT_COUNT, struct archive_report);
    for (size_t i = 0; i < REPORT_COUNT; i++)
        out->reports[i] = describe_report(a, &result->reports[i]);
    scoped_buf receipt = {.max = JSON_BYTES_MAX};
    struct json j = json_write(&receipt);
    json_begin_object(&j);
    archive_add_json(&j, out);
    json_member_f64(&j, "seconds", seconds);
    json_end_object(&j);
    out->receipt_json = arena_str(a, buf_str(&receipt));
}
