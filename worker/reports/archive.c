/* See archive.h: reading.  What adds runs is in archive_operations.c. */
#include "reports/archive.h"

#include "base/date.h"
#include "json/read.h"
#include "json/write.h"

#define JOB_KIND "report"

static void
add_report_json(struct json *j, const struct archive_report *report)
{
    bool is_made = report->sha256.n > 0;
    json_begin_object(j);
    json_member_str(j, "name", report->name);
    json_member_bool(j, "made", is_made);
    if (is_made) {
        json_member_str(j, "sha256", report->sha256);
        json_member_u64(j, "bytes", report->bytes);
    }
    json_member_raw(j, "warnings", report->warnings_json);
    if (!is_made)
        json_member_raw(j, "error", report->error_json);
    json_end_object(j);
}

void
archive_add_json(struct json *j, const struct archive_run *run)
{
    json_member_str(j, "date", run->date);
    json_member_bool(j, "scheduled", run->is_scheduled);
    json_member_raw(j, "inputs", run->inputs_json);
    json_member_begin_array(j, "reports");
    for (size_t i = 0; i < run->report_count; i++)
        add_report_json(j, &run->reports[i]);
    json_end_array(j);
}

static struct archive_report
read_report(struct arena *a, struct stmt *s)
{
    return (struct archive_report){
        .name = arena_str(a, stmt_str(s, 0)),
        .sha256 = arena_str(a, stmt_str(s, 1)),
        .bytes = (uint64_t)stmt_i64(s, 2),
        .warnings_json = arena_str(a, stmt_str(s, 3)),
        .error_json = arena_str(a, stmt_str(s, 4)),
    };
}

bool
archive_list(struct arena *a, struct db *db, const struct archive_filter *filter,
             struct archive_run **out, size_t *out_count, struct err *err)
{
    struct archive_run *runs = arena_array(a, filter->limit, struct archive_run);
    size_t count = 0;
    int got = 1;
    scoped_stmt s = db_stmt(db, "report_run_list");
    stmt_bind_str(s, 1, filter->before_id);
    stmt_bind_str(s, 2, filter->date);
    stmt_bind_i64(s, 3, (int64_t)filter->limit);
    while (count < filter->limit && (got = stmt_step(s, err)) == 1) {
        struct archive_run *run = &runs[count++];
        run->job_id = arena_str(a, stmt_str(s, 0));
        run->date = arena_str(a, stmt_str(s, 1));
        run->is_scheduled = stmt_i64(s, 2) != 0;
        run->inputs_json = arena_str(a, stmt_str(s, 3));
        run->finished_at = stmt_i64(s, 4);
        scoped_stmt of_run = db_stmt(db, "report_of_run");
        stmt_bind_str(of_run, 1, run->job_id);
        run->reports = arena_array(a, ARCHIVE_REPORTS_MAX, struct archive_report);
        int more = 1;
        while (run->report_count < ARCHIVE_REPORTS_MAX && (more = stmt_step(of_run, err)) == 1)
            run->reports[run->report_count++] = read_report(a, of_run);
        if (more < 0)
            return false;
    }
    if (got < 0)
        return false;
    *out = runs;
    *out_count = count;
    return true;
}

int
archive_find(struct arena *a, struct db *db, struct str name, struct str date,
             struct archive_report *out, struct archive_run *out_run, struct err *err)
{
    scoped_stmt s = db_stmt(db, "report_newest");
    stmt_bind_str(s, 1, name);
    stmt_bind_str(s, 2, date);
    int got = stmt_step(s, err);
    if (got != 1)
        return got;
    *out = read_report(a, s);
    *out_run = (struct archive_run){
        .job_id = arena_str(a, stmt_str(s, 5)),
        .date = arena_str(a, stmt_str(s, 6)),
        .finished_at = stmt_i64(s, 7),
    };
    return 1;
}

const char *
archive_folder(struct arena *a, const struct config *config)
{
    struct str folder = config->reports_output_dir;
    if (str_starts(folder, STR("/")))
        return arena_cstr(a, folder);
    return arena_printf(a, "%" STR_FMT "/%" STR_FMT, STR_ARG(config->data_dir), STR_ARG(folder))
        .p;
}

/* ---- jobs ---- */

struct job
archive_job(struct arena *a, const struct archive_request *request)
{
    char id[JOB_ID_DIGITS + 1];
    scoped_buf options;
    job_make_id(id);
    buf_init(&options, KIB);
    struct json j = json_write(&options);
    json_begin_object(&j);
    if (request->date.n)
        json_member_str(&j, "date", request->date);
    json_member_bool(&j, "scheduled", request->is_scheduled);
    json_end_object(&j);
    return (struct job){
        .id = arena_str(a, str_from(id)),
        .kind = STR(JOB_KIND),
        .options = arena_str(a, buf_str(&options)),
    };
}

bool
archive_job_parse(struct arena *a, struct str options, struct archive_request *out,
                  struct err *err)
{
    const struct json_value *root;
    struct archive_request request = {0};
    int64_t day;
    if (!json_read(a, options, &root, err))
        return false;
    const struct json_value *date = json_get(root, "date");
    const struct json_value *scheduled = json_get(root, "scheduled");
    /* Checked here again, because the date becomes the name of a folder. */
    if (date && (!json_as_str(date, &request.date) || !date_parse_iso(request.date, &day)))
        return err_set(err, ERR_INTERNAL, "the date of a report job is %" STR_FMT,
                       STR_ARG(date->text));
    request.is_scheduled = scheduled && scheduled->kind == JSON_BOOL && scheduled->boolean;
    *out = request;
    return true;
}
