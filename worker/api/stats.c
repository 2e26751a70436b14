/* Statistics of a dataset's columns under the filters of the request. */
#include "api/format.h"
#include "api/handlers.h"
#include "api/statistics.h"

bool
get_stats(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct statistics_question question = {
        .columns = request_text(request, "column"),
        .aggregate = request_text(request, "aggregate"),
        .percentiles = request_text(request, "percentiles"),
        .ddof = (unsigned)request_integer(request, "ddof"),
        .is_unbiased = !request_boolean(request, "bias"),
    };
    struct selection s;
    struct bitmap rows;
    if (!selection_open(app, request, request_path_value(request, "dataset"), 0,
                        request_text(request, "q"), &s, err) ||
        !filter_run(request->arena, s.query.filter, s.version, app_deadline_us(app, request),
                    &rows, err))
        return false;
    struct json j = json_write(&response->body);
    response->type = format_media_type(EXPORT_JSON);
    json_begin_object(&j);
    json_key(&j, "data");
    if (!statistics_add(request->arena, &response->body, s.version, &question, &rows, err))
        return false;
    j.needs_comma = true;
    selection_add_meta(&j, s.version, bitmap_count(&rows));
    json_end_object(&j);
    buf_add_char(&response->body, '\n');
    /* Only now, when nothing of the question turned out to be wrong. */
    response_is_known(response, selection_etag(request->arena, s.version, "stats"));
    return true;
}
