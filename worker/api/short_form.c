/* The original paths, for the games dataset and in the original shapes: the same domain
 * functions as the resources, answered with fewer words. */
#include "api/access.h"
#include "api/format.h"
#include "api/handlers.h"
#include "api/imports.h"
#include "api/job_json.h"
#include "api/object.h"
#include "api/statistics.h"

static const struct str GAMES = STR_INIT(ACCESS_SHORT_FORM_DATASET);

bool
ping(struct app *app UNUSED, struct request *request UNUSED, struct response *response,
     struct err *err UNUSED)
{
    response->type = format_media_type(EXPORT_JSON);
    buf_add_lit(&response->body, "{\"response\":\"pong\"}\n");
    return true;
}

static bool
answer_import(struct app *app, struct request *request, struct response *response,
              unsigned forms, struct err *err)
{
    struct str id;
    if (!imports_submit(app, request, GAMES, forms, &id, err))
        return false;
    struct json j = object_begin(response);
    json_member_str(&j, "message", STR("The import was accepted."));
    json_member_str(&j, "job_id", id);
    json_member_str(&j, "status_url",
                    arena_printf(request->arena, "/v1/jobs/%" STR_FMT, STR_ARG(id)));
    object_end(&j);
    job_answer_accepted(response, id);
    return true;
}

bool
upload_csv(struct app *app, struct request *request, struct response *response, struct err *err)
{
    return answer_import(app, request, response, BODY_MULTIPART, err);
}

bool
import_csv(struct app *app, struct request *request, struct response *response, struct err *err)
{
    return answer_import(app, request, response, BODY_FORM | BODY_JSON, err);
}

static bool
answer_games(const struct request *request, struct response *response,
             const struct selection *s, const struct query_result *result, struct err *err)
{
    struct json j = object_begin(response);
    json_member_str(&j, "status",
                    arena_printf(request->arena, "%zu found", (size_t)result->total));
    json_key(&j, "results");
    json_begin_array(&j);
    for (size_t i = 0; i < result->row_count; i++) {
        if (i)
            buf_add_char(&response->body, ',');
        if (!export_add_json_row(&response->body, s->version, &s->query, result->rows[i], true,
                                 "id", err))
            return false;
    }
    json_end_array(&j);
    if (result->has_more)
        json_member_u64(&j, "cursor", s->query.offset + result->row_count);
    else
        json_member_null(&j, "cursor");
    object_end(&j);
    return true;
}

bool
query_games(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct selection s;
    struct query_result result;
    if (!selection_open(app, request, GAMES, 0, (struct str){NULL, 0}, &s, err))
        return false;
    s.query.limit = (uint64_t)request_integer(request, "limit");
    s.query.offset = (uint64_t)request_integer(request, "cursor");
    if (response_is_known(response, selection_etag(request->arena, s.version, "query")))
        return true;
    return query_run(request->arena, &s.query, s.version, app_deadline_us(app, request),
                     &result, err) &&
           answer_games(request, response, &s, &result, err);
}

bool
games_stats(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct statistics_question question = {.columns = request_text(request, "column"),
                                           .aggregate = request_text(request, "aggregate")};
    struct selection s;
    struct bitmap rows;
    if (!selection_open(app, request, GAMES, 0, (struct str){NULL, 0}, &s, err) ||
        !filter_run(request->arena, s.query.filter, s.version, app_deadline_us(app, request),
                    &rows, err))
        return false;
    response->type = format_media_type(EXPORT_JSON);
    buf_add_lit(&response->body, "{\"result\":");
    if (!statistics_add(request->arena, &response->body, s.version, &question, &rows, err))
        return false;
    buf_add_lit(&response->body, "}\n");
    response_is_known(response, selection_etag(request->arena, s.version, "result"));
    return true;
}
