#include "api/problem.h"

#include "http/router.h"
#include "http/status.h"
#include "json/write.h"

/* What would be taken: a key, a player's token, or either.  Routes that ask for neither and
 * refuse a password or a refresh token are about tokens. */
static void
add_challenges(struct response *r, const struct err *err)
{
    const struct route *route = r->request->route;
    bool takes_key = !route || route->scope != SCOPE_NONE;
    bool takes_token = route && route->flags & (ROUTE_PLAYER | ROUTE_MAY_BE_PLAYER);
    bool is_token_bad = str_starts(str_from(err_code(err)), STR("token_"));
    if (takes_token || !takes_key) /* RFC 6750, 3 */
        response_header(r, "WWW-Authenticate", "Bearer realm=\"playmeter\"%s",
                        is_token_bad ? ", error=\"invalid_token\"" : "");
    if (takes_key)
        response_header(r, "WWW-Authenticate", "ApiKey realm=\"playmeter\"");
}

void
problem_answer(struct response *r, const struct err *err)
{
    assert(err->kind != ERR_NONE);
    response_reset(r);
    bool is_ours = err->kind == ERR_INTERNAL;
    r->status = http_status(err);
    r->type = "application/problem+json";
    if (r->status == 401)
        add_challenges(r, err);
    if (r->status == 503 || r->status == 429)
        response_header(r, "Retry-After", "%u", MAX(err->retry_after_s, 1));
    struct json j = json_write(&r->body);
    json_begin_object(&j);
    json_member_str(&j, "type", STR("about:blank"));
    json_member_str(&j, "title", str_from(http_title(err)));
    json_member_i64(&j, "status", r->status);
    json_member_str(&j, "detail",
                    is_ours ? STR("The log has the reason under this request id.")
                            : str_from(err_public_detail(err)));
    json_member_str(&j, "code", str_from(err_code(err)));
    json_member_str(&j, "request_id", r->request->id);
    /* The scope of a key that would do; not said where none would. */
    const struct route *route = r->request->route;
    if ((r->status == 401 || r->status == 403) && route && route->scope != SCOPE_NONE)
        json_member_str(&j, "required_scope", str_from(http_scope_name(route->scope)));
    if (err->name[0] && !is_ours) {
        json_member_begin_array(&j, "errors");
        json_begin_object(&j);
        json_member_str(&j, "name", str_from(err->name));
        json_member_str(&j, "code", str_from(err_code(err)));
        json_member_str(&j, "detail", str_from(err_public_detail(err)));
        json_end_object(&j);
        json_end_array(&j);
    }
    json_end_object(&j);
    buf_add_char(&r->body, '\n');
}
