/* Logins that are there: going on with one, ending it. */
#include "api/handlers.h"
#include "api/json_body.h"
#include "api/login_json.h"

bool
refresh_login(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    static const char *const MEMBERS[] = {"refresh_token"};
    const struct json_value *body;
    struct str refresh_token;
    struct account_login login = {0};
    if (!json_body_read(request, MEMBERS, COUNT_OF(MEMBERS), &body, err) ||
        !json_body_str(body, "refresh_token", &refresh_token, err) ||
        !session_refresh(app->writer, app->config, &app->secrets, refresh_token, &login.grant,
                         err) ||
        !account_get(request->arena, app->db, login.grant.player_id, &login.account, err))
        return false;
    login_answer(app, request, response, &login);
    return true;
}

bool
log_out(struct app *app, struct request *request, struct response *response, struct err *err)
{
    if (!session_revoke(app->writer, request->session_id, err))
        return false;
    response->status = 204;
    return true;
}
