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
answer_games(const struct request *request, struct response *response, struct selection *s,
             const struct query_result *result, struct err *err)
{
    struct json j = object_begin(response);
    json_member_str(&j, "status",
                    arena_printf(request->arena, "%zu found", (size_t)result->total));
    json_member_begin_array(&j, "results");
    for (size_t i = 0; i < result->row_count; i++) {
        struct export_number id = {"id", result->rows[i]};
        const struct value *row;
        if (i)
            buf_add_char(&response->body, ',');
        if (!s->ask.engine->row(&s->ask, &s->query, result->rows, result->row_count, i, &row,
                                err))
            return false;
        export_add_json_row(&response->body, &s->ask.version->schema, &s->query, row, &id);
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
    if (!selection_open(app, request, STR(""), STR(""), &s, err) ||
        !query_parse_fields(request->arena, &s.ask.version->schema, STR(""), &s.query, err))
        return false;
    if (selection_is_known(&s, response, "query"))
        return true;
    s.query.lists_are_raw = true;
    s.query.limit = (uint64_t)request_integer(request, "limit");
    s.query.offset = (uint64_t)request_integer(request, "cursor");
    return app->engine->page(&s.ask, &s.query, &result, err) &&
           answer_games(request, response, &s, &result, err);
}

bool
games_stats(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct statistics_text text = {.columns = request_text(request, "column"),
                                   .aggregate = request_text(request, "aggregate")};
    struct statistics_question question;
    struct selection s;
    if (!selection_open(app, request, STR(""), STR(""), &s, err) ||
        !statistics_parse(request->arena, &s.ask.version->schema, &text, &question, err))
        return false;
    struct json j = object_begin(response);
    if (selection_is_known(&s, response, "result"))
        return true;
    json_key(&j, "result");
    if (!statistics_add(&j, &s, &question, err))
        return false;
    object_end(&j);
    return true;
}
