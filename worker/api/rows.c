/* Rows of a dataset: pages of JSON, and whole answers as CSV or NDJSON. */
#include "api/handlers.h"
#include "api/page.h"
#include "api/selection.h"

/* The page asked for, from the parameters that are not filters. */
static bool
read_page(const struct request *request, enum export_format format, struct selection *s,
          struct err *err)
{
    const struct schema *schema = &s->ask.version->schema;
    s->query.lists_are_raw = format == EXPORT_CSV;
    return selection_read_limit(request, format, "rows", s, err) &&
           query_parse_sort(schema, request_text(request, "sort"), &s->query, err) &&
           query_parse_fields(request->arena, schema, request_text(request, "fields"),
                              &s->query, err) &&
           selection_use_cursor(s, err);
}

static bool
answer_page(const struct request *request, struct response *response, struct selection *s,
            const struct query_result *result, struct err *err)
{
    struct json j = page_begin(response);
    for (size_t i = 0; i < result->row_count; i++) {
        const struct value *row;
        if (i)
            buf_add_char(&response->body, ',');
        if (!s->ask.engine->row(&s->ask, &s->query, result->rows, result->row_count, i, &row,
                                err))
            return false;
        export_add_json_row(&response->body, &s->ask.version->schema, &s->query, row, NULL);
    }
    selection_begin_meta(&j, s, request, response, result->total, result->row_count,
                         result->has_more);
    selection_end(&j, s);
    return true;
}

static bool
stream_rows(const struct request *request, struct response *response, struct selection *s,
            const struct query_result *result, enum export_format format, struct err *err)
{
    const struct schema *schema = &s->ask.version->schema;
    struct buf *out = &response->body;
    bool is_raw = request_boolean(request, "raw");
    if (!selection_begin_stream(s, response, format, "", result->total, err))
        return false;
    if (!response_wants_body(response))
        return true;
    if (format == EXPORT_CSV)
        export_add_csv_header(out, schema, &s->query, is_raw);
    for (size_t i = 0; i < result->row_count; i++) {
        const struct value *row;
        if (!s->ask.engine->row(&s->ask, &s->query, result->rows, result->row_count, i, &row,
                                err))
            return false;
        if (format == EXPORT_CSV) {
            export_add_csv_row(out, schema, &s->query, row, is_raw);
        } else {
            export_add_json_row(out, schema, &s->query, row, NULL);
            buf_add_char(out, '\n');
        }
        if (!response_flush_stream(response, err))
            return false;
    }
    return true;
}

bool
list_rows(struct app *app, struct request *request, struct response *response, struct err *err)
{
    enum export_format format;
    struct selection s;
    struct query_result result;
    if (!format_choose(request, response, true, &format, err) ||
        !selection_open(app, request, request_text(request, "q"),
                        request_text(request, "cursor"), &s, err) ||
        !read_page(request, format, &s, err))
        return false;
    if (selection_is_known(&s, response, format_name(format)))
        return true;
    if (!app->engine->page(&s.ask, &s.query, &result, err))
        return false;
    if (format == EXPORT_JSON)
        return answer_page(request, response, &s, &result, err);
    return stream_rows(request, response, &s, &result, format, err);
}

bool
get_row(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct selection s;
    struct str text = request_path_value(request, "key");
    struct value key;
    const struct value *row;
    uint64_t number;
    if (!selection_open(app, request, STR(""), STR(""), &s, err))
        return false;
    const struct schema *schema = &s.ask.version->schema;
    if (!query_parse_fields(request->arena, schema, request_text(request, "fields"), &s.query,
                            err) ||
        !query_parse_key(schema, text, &key, err))
        return false;
    int found = app->engine->find_key(&s.ask, &key, &number, err);
    if (found < 0)
        return false;
    if (found == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("key"),
                            "dataset '%" STR_FMT "' has no row with the key '%" STR_FMT "'",
                            STR_ARG(s.ask.version->dataset.name), STR_ARG(text));
    if (selection_is_known(&s, response, "row"))
        return true;
    response->type = format_media_type(EXPORT_JSON);
    if (!app->engine->row(&s.ask, &s.query, &number, 1, 0, &row, err))
        return false;
    export_add_json_row(&response->body, schema, &s.query, row, NULL);
    buf_add_char(&response->body, '\n');
    return true;
}
