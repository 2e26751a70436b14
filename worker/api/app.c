/* The order of the checks is what a caller notices: an unknown path before a
 * missing key, a missing key before a bad parameter, so that nobody without a key learns what a
 * closed service holds. */
#include "api/app.h"

#include "api/access.h"
#include "api/problem.h"

#include <string.h>

uint64_t
app_deadline_us(const struct app *app, const struct request *request)
{
    return request->started_us + app->config->workers_deadline * 1000;
}

/* OPTIONS is answered for every path that has a row; the router refuses it, naming the others.
 */
static bool
run(struct app *app, struct request *request, struct response *response, struct buf *allow,
    struct err *err)
{
    db_set_deadline(app->db, app_deadline_us(app, request));
    if (!router_find(ROUTES, ROUTE_COUNT, request, allow, err)) {
        if (err->kind != ERR_METHOD || request->method != HTTP_OPTIONS)
            return false;
        *err = (struct err){0};
        response->status = 204;
        response_header(response, "Allow", "%" STR_FMT, STR_ARG(buf_str(allow)));
        return true;
    }
    return access_check(app, request, err) && request_check_params(request, err) &&
           router_check_body(request, err) &&
           request->route->handle(app, request, response, err);
}

/* Who meets damage by chance does not leave it to the schedule, and who asks for an unchecked
 * version does not wait for all the others. */
static bool
wants_check(const struct err *err)
{
    return err->kind == ERR_BUSY && (strcmp(err_code(err), "index_damaged") == 0 ||
                                     strcmp(err_code(err), "version_damaged") == 0 ||
                                     strcmp(err_code(err), "version_unchecked") == 0);
}

static void
answer_problem(struct response *response, const struct buf *allow, const struct err *err)
{
    /* The status is sent already: cutting the answer short is the one thing left to do. */
    if (response->is_streaming) {
        response->is_broken = true;
        return;
    }
    problem_answer(response, err);
    if (err->kind == ERR_METHOD)
        response_header(response, "Allow", "%" STR_FMT, STR_ARG(buf_str(allow)));
}

void
app_handle(void *context, struct request *request, struct response *response, struct err *err)
{
    struct app *app = context;
    scoped_buf allow;
    buf_init(&allow, KIB);
    bool is_read = err->kind == ERR_NONE;
    app->dataset = (struct dataset){0}; /* of the request before */
    if (!is_read || !run(app, request, response, &allow, err)) {
        if (wants_check(err))
            app->engine->doubt(app->versions, app->writer);
        answer_problem(response, &allow, err);
        return;
    }
    if (response->body.is_full) {
        (void)err_set_name(err, ERR_BAD_PARAMETER, "answer_too_large", STR("limit"),
                           "the answer is larger than %zu bytes; ask for fewer rows or fields, "
                           "or for format=ndjson",
                           (size_t)RESPONSE_BODY_BYTES_MAX);
        answer_problem(response, &allow, err);
    }
}
