/* The reports: what there is, one of them, and the runs that made them.  A report is a file
 * that a run has put in place; it is looked up in the table of runs and sent as it is. */
#include "api/format.h"
#include "api/handlers.h"
#include "api/job_json.h"
#include "api/json_body.h"
#include "api/listing.h"
#include "api/page.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/suggest.h"
#include "reports/archive.h"
#include "reports/run.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define CHUNK_BYTES (64 * KIB)
#define ETAG_HASH_DIGITS 32

/* ---- runs ---- */

/* Written anew, since it names a folder. */
static bool
check_date(struct request *request, struct str text, enum err_kind kind, struct str *out,
           struct err *err)
{
    int64_t day;
    if (!date_parse_iso(text, &day))
        return err_set_name(err, kind, NULL, STR("date"),
                            "date is a day, YYYY-MM-DD, got '%" STR_FMT "'",
                            STR_ARG(str_slice(text, 0, 40)));
    *out = date_text(request->arena, day);
    return true;
}

/* {"date": "2025-10-20"}, or nothing for the day before the newest of the inputs. */
static bool
read_wanted(struct request *request, struct str *date, struct err *err)
{
    static const char *const MEMBERS[] = {"date"};
    const struct json_value *body;
    *date = (struct str){0};
    if (request->body.n == 0)
        return true;
    if (!json_body_read(request, MEMBERS, COUNT_OF(MEMBERS), &body, err))
        return false;
    if (!json_get_given(body, "date"))
        return true;
    struct str text;
    int64_t day;
    return json_body_str(body, "date", &text, err) &&
           check_date(request, text, ERR_INVALID, date, err) && date_parse_iso(*date, &day) &&
           run_check_day(day, clock_now_ms(), err);
}

bool
create_report_run(struct app *app, struct request *request, struct response *response,
                  struct err *err)
{
    struct archive_request wanted = {0};
    if (!read_wanted(request, &wanted.date, err))
        return false;
    struct job job = archive_job(request->arena, &wanted);
    job.request_id = request->id;
    if (!job_enqueue(app->writer, &job, err) ||
        !job_answer(request->arena, app->db, job.id, response, err))
        return false;
    job_answer_accepted(response, job.id);
    return true;
}

static const char *const RUN_COLUMNS[] = {"id",     "job",     "date",       "scheduled",
                                          "inputs", "reports", "finished_at"};
static const struct listing_table RUNS = {.name = "runs", LISTING_COLUMNS(RUN_COLUMNS)};

bool
list_report_runs(struct app *app, struct request *request, struct response *response,
                 struct err *err)
{
    struct archive_filter filter = {
        .limit = page_fetch_count(request),
    };
    struct archive_run *runs;
    size_t count;
    scoped_listing list = {0};
    if (!listing_begin(&list, &RUNS, request, response, err) ||
        !page_read_job_cursor(request, &filter.before_id, err) ||
        (request_has(request, "date") && !check_date(request, request_text(request, "date"),
                                                     ERR_BAD_PARAMETER, &filter.date, err)) ||
        !archive_list(request->arena, app->db, &filter, &runs, &count, err))
        return false;
    bool has_more = page_cut(request, &count);
    for (size_t i = 0; i < count; i++) {
        struct json *j = listing_item(&list);
        json_begin_object(j);
        json_member_str(j, "id", runs[i].job_id);
        json_member_str(j, "job", runs[i].job_id);
        archive_add_json(j, &runs[i]);
        json_member_timestamp(j, "finished_at", runs[i].finished_at);
        json_end_object(j);
        if (!listing_end_item(&list, err))
            return false;
    }
    listing_end(&list, has_more ? runs[count - 1].job_id : (struct str){NULL, 0},
                LISTING_UNCOUNTED);
    return true;
}

/* ---- reports ---- */

/* Why the last run left it out, where it did. */
static void
add_last_error(struct json *j, const struct archive_run *last, const char *name)
{
    for (size_t i = 0; last && i < last->report_count; i++) {
        const struct archive_report *report = &last->reports[i];
        if (!str_eq(report->name, str_from(name)) || report->error_json.n == 0)
            continue;
        json_member_raw(j, "last_error", report->error_json);
        return;
    }
    json_member_null(j, "last_error");
}

static bool
add_report(struct json *j, struct app *app, struct arena *a, const struct report *report,
           const struct archive_run *last, struct err *err)
{
    struct archive_report made = {0};
    struct archive_run run = {0};
    int got = archive_find(a, app->db, str_from(report->name), STR(""), &made, &run, err);
    if (got < 0)
        return false;
    json_begin_object(j);
    json_member_str(j, "name", str_from(report->name));
    json_member_str(j, "title", str_from(report->title));
    json_member_str(j, "url", arena_printf(a, "/v1/reports/%s", report->name));
    if (got) {
        json_member_str(j, "date", run.date);
        json_member_timestamp(j, "finished_at", run.finished_at);
        json_member_str(j, "sha256", made.sha256);
        json_member_u64(j, "bytes", made.bytes);
        json_member_raw(j, "warnings", made.warnings_json);
    } else {
        static const char *const MEMBERS[] = {"date", "finished_at", "sha256", "bytes"};
        for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
            json_member_null(j, MEMBERS[i]);
        json_member_raw(j, "warnings", STR("[]"));
    }
    add_last_error(j, last, report->name);
    json_end_object(j);
    return true;
}

static const char *const REPORT_COLUMNS[] = {
    "name", "title", "url", "date", "finished_at", "sha256", "bytes", "warnings", "last_error"};
static const struct listing_table MADE = {.name = "reports", LISTING_COLUMNS(REPORT_COLUMNS)};

bool
list_reports(struct app *app, struct request *request, struct response *response,
             struct err *err)
{
    struct archive_filter newest = {.limit = 1};
    struct archive_run *runs;
    size_t count;
    scoped_listing list = {0};
    if (!listing_begin(&list, &MADE, request, response, err) ||
        !archive_list(request->arena, app->db, &newest, &runs, &count, err))
        return false;
    for (size_t i = 0; i < REPORT_COUNT; i++)
        if (!add_report(listing_item(&list), app, request->arena, REPORTS[i],
                        count ? runs : NULL, err) ||
            !listing_end_item(&list, err))
            return false;
    listing_end(&list, (struct str){NULL, 0}, (int64_t)REPORT_COUNT);
    return true;
}

static bool
find_report(struct str name, const struct report **out, struct err *err)
{
    struct suggestion near = suggest_begin(name);
    for (size_t i = 0; i < REPORT_COUNT; i++)
        suggest_offer(&near, str_from(REPORTS[i]->name));
    *out = report_find(name);
    return *out || err_set_name(err, ERR_NOT_FOUND, NULL, STR("name"),
                                "there is no report '%" STR_FMT "'%s", STR_ARG(name),
                                suggest_text(&near));
}

static bool
refuse_date(struct app *app, struct arena *a, const struct report *report, struct str date,
            struct err *err)
{
    struct archive_report made;
    struct archive_run newest;
    struct err future = {0};
    int64_t day;
    int got = archive_find(a, app->db, str_from(report->name), STR(""), &made, &newest, err);
    if (got < 0)
        return false;
    if (got == 0)
        return err_set_code(err, ERR_NOT_FOUND, "no_run",
                            "no run has made %s yet; POST /v1/reports/runs starts one",
                            report->name);
    /* Not to be sent into the refusal that a run of that day gets. */
    if (date_parse_iso(date, &day) && !run_check_day(day, clock_now_ms(), &future))
        return err_set_name(err, ERR_NOT_FOUND, "no_run", STR("date"),
                            "no run has made %s for that day: %s", report->name, future.detail);
    return err_set_name(err, ERR_NOT_FOUND, "no_run", STR("date"),
                        "no run has made %s for %" STR_FMT "; the newest is of %" STR_FMT
                        ", and POST /v1/reports/runs {\"date\": \"%" STR_FMT "\"} makes it",
                        report->name, STR_ARG(date), STR_ARG(newest.date), STR_ARG(date));
}

/* The file of a run, below the folder of its day; neither is followed elsewhere. */
static int
open_report(struct app *app, struct arena *a, const struct report *report, struct str date,
            enum export_format format, struct err *err)
{
    const char *root_path = archive_folder(a, app->config);
    const char *name = arena_printf(a, "%s.%s", report->name, format_name(format)).p;
    scoped_fd root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    scoped_fd folder =
        root < 0 ? -1 : fs_open_at(root, arena_cstr(a, date), O_RDONLY | O_DIRECTORY, err);
    int fd = folder < 0 ? -1 : fs_open_at(folder, name, O_RDONLY, err);
    if (fd < 0 && (root < 0 || err->kind == ERR_NOT_FOUND))
        err_set(err, ERR_GONE, "the file of %s for %" STR_FMT " is no longer in the folder",
                report->name, STR_ARG(date));
    return fd;
}

/* By the content and by when it was put there: a run that is not stored yet has replaced the
 * file before its hash is known here. */
static bool
is_known(struct request *request, struct response *response, int fd,
         const struct archive_report *made, enum export_format format, bool *out,
         struct err *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return err_set_errno(err, "the report's file");
    *out = response_is_known(response,
                             arena_printf(request->arena, "%" STR_FMT "-%" PRIx64 "-%s",
                                          STR_ARG(str_slice(made->sha256, 0, ETAG_HASH_DIGITS)),
                                          (uint64_t)st.st_mtim.tv_sec * UINT64_C(1000000000) +
                                              (uint64_t)st.st_mtim.tv_nsec,
                                          format_name(format)));
    return true;
}

static bool
stream_file(struct response *response, int fd, enum export_format format, struct err *err)
{
    uint64_t bytes;
    if (!fs_size(fd, &bytes, err) ||
        !response_begin_stream(response, format_media_type(format), err))
        return false;
    for (uint64_t at = 0; response_wants_body(response) && at < bytes;) {
        size_t chunk = (size_t)MIN(bytes - at, (uint64_t)CHUNK_BYTES);
        char *room = buf_reserve(&response->body, chunk);
        if (!room)
            return err_set(err, ERR_INTERNAL, "a piece of %zu bytes has no room", chunk);
        if (!fs_read_at(fd, room, chunk, at, err))
            return false;
        response->body.n += chunk;
        at += chunk;
        if (!response_flush_stream(response, err))
            return false;
    }
    return true;
}

bool
get_report(struct app *app, struct request *request, struct response *response, struct err *err)
{
    enum export_format format;
    const struct report *report;
    struct archive_report made;
    struct archive_run run;
    struct str date = {0};
    bool knows = false;
    if (!find_report(request_path_value(request, "name"), &report, err) ||
        (request_has(request, "date") &&
         !check_date(request, request_text(request, "date"), ERR_BAD_PARAMETER, &date, err)) ||
        !format_choose(request, response, false, &format, err))
        return false;
    int got =
        archive_find(request->arena, app->db, str_from(report->name), date, &made, &run, err);
    if (got <= 0)
        return got < 0 ? false : refuse_date(app, request->arena, report, date, err);
    scoped_fd fd = open_report(app, request->arena, report, run.date, format, err);
    if (fd < 0 || !is_known(request, response, fd, &made, format, &knows, err))
        return false;
    if (knows)
        return true;
    if (format == EXPORT_CSV)
        response_header(response, "Content-Disposition",
                        "attachment; filename=\"%s-%" STR_FMT ".csv\"", report->name,
                        STR_ARG(run.date));
    return stream_file(response, fd, format, err);
}
