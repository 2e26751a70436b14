/* Rows of a dataset: pages of JSON, and whole answers as CSV or NDJSON. */
#include "api/format.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/selection.h"

/* The page asked for, from the parameters that are not filters. */
static bool
read_page(const struct request *request, enum export_format format, struct selection *s,
          struct err *err)
{
    const struct schema *schema = &s->version->schema;
    struct query *query = &s->query;
    bool has_limit = format == EXPORT_JSON || request_has(request, "limit");
    query->limit = has_limit ? (uint64_t)request_integer(request, "limit") : 0;
    if (format == EXPORT_JSON && query->limit > QUERY_LIMIT_MAX)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("limit"),
                            "limit is at most %d rows of JSON, got %zu; format=csv and "
                            "format=ndjson have no such bound",
                            QUERY_LIMIT_MAX, (size_t)query->limit);
    struct str cursor = request_text(request, "cursor");
    return query_parse_sort(schema, request_text(request, "sort"), query, err) &&
           query_parse_fields(request->arena, schema, request_text(request, "fields"), query,
                              err) &&
           (cursor.n == 0 || query_use_cursor(query, cursor, s->version->info.number, err));
}

static bool
add_row(struct buf *out, const struct selection *s, enum export_format format, uint64_t row,
        bool is_raw, struct err *err)
{
    if (format == EXPORT_CSV)
        return export_add_csv_row(out, s->version, &s->query, row, is_raw, err);
    if (!export_add_json_row(out, s->version, &s->query, row, false, NULL, err))
        return false;
    if (format == EXPORT_NDJSON)
        buf_add_char(out, '\n');
    return true;
}

static bool
answer_page(const struct request *request, struct response *response, const struct selection *s,
            const struct query_result *result, struct err *err)
{
    struct json j = page_begin(response);
    for (size_t i = 0; i < result->row_count; i++) {
        if (i)
            buf_add_char(&response->body, ',');
        if (!add_row(&response->body, s, EXPORT_JSON, result->rows[i], false, err))
            return false;
    }
    struct str cursor = {NULL, 0};
    if (result->has_more)
        cursor = query_make_cursor(request->arena, &s->query, s->version->info.number,
                                   s->query.offset + result->row_count);
    page_begin_meta(&j, request, response, cursor);
    json_member_u64(&j, "total", result->total);
    json_member_i64(&j, "version", s->version->info.number);
    page_end(&j);
    return true;
}

static bool
stream_rows(const struct request *request, struct response *response, const struct selection *s,
            const struct query_result *result, enum export_format format, struct err *err)
{
    bool is_raw = request_boolean(request, "raw");
    response_header(response, "X-Total-Count", "%zu", (size_t)result->total);
    response_header(response, "Content-Disposition", "attachment; filename=\"%" STR_FMT ".%s\"",
                    STR_ARG(s->version->dataset.name), format_name(format));
    if (!response_begin_stream(response, format_media_type(format), err))
        return false;
    if (!response_wants_body(response))
        return true;
    if (format == EXPORT_CSV)
        export_add_csv_header(&response->body, s->version, &s->query, is_raw);
    for (size_t i = 0; i < result->row_count; i++)
        if (!add_row(&response->body, s, format, result->rows[i], is_raw, err) ||
            !response_flush_stream(response, err))
            return false;
    return true;
}

bool
list_rows(struct app *app, struct request *request, struct response *response, struct err *err)
{
    enum export_format format;
    struct selection s;
    struct query_result result;
    struct str cursor = request_text(request, "cursor");
    int64_t version = 0;
    if (!format_choose(request, response, true, &format, err) ||
        (cursor.n && !query_cursor_version(cursor, &version, err)) ||
        !selection_open(app, request, request_path_value(request, "dataset"), version,
                        request_text(request, "q"), &s, err) ||
        !read_page(request, format, &s, err))
        return false;
    if (response_is_known(response,
                          selection_etag(request->arena, s.version, format_name(format))))
        return true;
    if (!query_run(request->arena, &s.query, s.version, app_deadline_us(app, request), &result,
                   err))
        return false;
    if (format == EXPORT_JSON)
        return answer_page(request, response, &s, &result, err);
    return stream_rows(request, response, &s, &result, format, err);
}

bool
get_row(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct selection s;
    struct str dataset = request_path_value(request, "dataset");
    struct str key = request_path_value(request, "key");
    uint64_t row;
    if (!selection_open(app, request, dataset, 0, (struct str){NULL, 0}, &s, err) ||
        !query_parse_fields(request->arena, &s.version->schema, request_text(request, "fields"),
                            &s.query, err))
        return false;
    int found = query_find_key(s.version, key, &row, err);
    if (found < 0)
        return false;
    if (found == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("key"),
                            "dataset '%" STR_FMT "' has no row with the key '%" STR_FMT "'",
                            STR_ARG(dataset), STR_ARG(key));
    if (response_is_known(response, selection_etag(request->arena, s.version, "row")))
        return true;
    response->type = format_media_type(EXPORT_JSON);
    if (!export_add_json_row(&response->body, s.version, &s.query, row, false, NULL, err))
        return false;
    buf_add_char(&response->body, '\n');
    return true;
}
