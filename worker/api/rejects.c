/* The rows that an import rejected, from the file beside the job's source: a line of JSON per
 * reject, {line, offset, column, reason, detail, raw}.  A cursor is the byte at which the next
 * page begins, so a page costs what it shows however long the file is. */
#include "api/format.h"
#include "api/handlers.h"
#include "api/listing.h"
#include "api/page.h"
#include "base/fs.h"
#include "base/num.h"
#include "jobs/job.h"

#include <fcntl.h>

static const char *const COLUMNS[] = {"line", "offset", "column", "reason", "detail", "raw"};
static const struct listing_table REJECTS = {.name = "rejects", LISTING_COLUMNS(COLUMNS)};

/* Takes the next whole line; the writer of the file may be in the middle of the last one. */
static bool
next_line(struct str *rest, struct str *line)
{
    ptrdiff_t end = str_find_char(*rest, '\n');
    if (end < 0)
        return false;
    *line = str_slice(*rest, 0, (size_t)end);
    *rest = str_skip(*rest, (size_t)end + 1);
    return true;
}

/* Opens the file of rejects.  One that is not there: there were none, or it was swept. */
static bool
open_rejects(struct app *app, struct arena *a, const struct job *job, struct fs_map *map,
             struct err *err)
{
    struct str path = arena_printf(a, "%s/spool/%" STR_FMT "/rejects.ndjson", app->data_dir,
                                   STR_ARG(job->id));
    scoped_fd fd = fs_open_at(AT_FDCWD, path.p, O_RDONLY, err);
    if (fd >= 0)
        return fs_map_open(map, fd, err);
    if (err->kind != ERR_NOT_FOUND)
        return false;
    if (job->rows_rejected && job->finished_at)
        return err_set(err, ERR_GONE, "the rejects of job %" STR_FMT " are no longer kept",
                       STR_ARG(job->id));
    *err = (struct err){0};
    return true;
}

static bool
answer_json(struct request *request, struct response *response, const struct job *job,
            struct str file, struct err *err)
{
    uint64_t from = 0;
    struct str cursor = request_text(request, "cursor");
    if (cursor.n &&
        (!num_parse_u64(cursor, &from) || from > file.n || (from && file.p[from - 1] != '\n')))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("cursor"),
                            "'%" STR_FMT "' is no cursor of these rejects", STR_ARG(cursor));
    struct str rest = str_skip(file, from), line;
    struct json j = page_begin(response);
    for (int64_t i = request_integer(request, "limit"); i > 0 && next_line(&rest, &line); i--)
        json_raw(&j, line);
    size_t at = file.n - rest.n;
    bool has_more = str_find_char(rest, '\n') >= 0;
    page_begin_meta(&j, request, response,
                    has_more ? arena_printf(request->arena, "%zu", at) : (struct str){NULL, 0});
    json_member_u64(&j, "total", job->rows_rejected);
    page_end(&j);
    return true;
}

/* Raw text comes from a stranger's file and may be one that a spreadsheet would run. */
static bool
stream_csv(const struct request *request, struct response *response, const struct job *job,
           struct str file, struct err *err)
{
    bool is_raw = request_boolean(request, "raw");
    scoped_arena line_arena = {0};
    struct str line;
    response_header(response, "Content-Disposition",
                    "attachment; filename=\"rejects-%" STR_FMT ".csv\"", STR_ARG(job->id));
    if (!response_begin_stream(response, format_media_type(EXPORT_CSV), err))
        return false;
    listing_add_csv_header(&response->body, &REJECTS);
    while (response_wants_body(response) && next_line(&file, &line)) {
        if (!listing_add_csv_row(&line_arena, &response->body, &REJECTS, line, is_raw, err) ||
            !response_flush_stream(response, err))
            return false;
        arena_reset(&line_arena);
    }
    return true;
}

bool
list_rejects(struct app *app, struct request *request, struct response *response,
             struct err *err)
{
    enum export_format format;
    struct job job;
    SCOPED(fs_map_close) struct fs_map map = {0};
    if (!format_choose(request, response, false, &format, err) ||
        !job_get(request->arena, app->db, request_path_value(request, "id"), &job, err) ||
        !open_rejects(app, request->arena, &job, &map, err))
        return false;
    if (format == EXPORT_CSV)
        return stream_csv(request, response, &job, map.bytes, err);
    return answer_json(request, response, &job, map.bytes, err);
}
