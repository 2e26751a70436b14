/* Accounts of players: coming in, being shown, changing the password, leaving. */
#include "api/handlers.h"
#include "api/json_body.h"
#include "api/login_json.h"
#include "api/object.h"

static struct account_service
account_service_of(struct app *app)
{
    return (struct account_service){
        .config = app->config, .db = app->db, .writer = app->writer, .hasher = &app->hasher};
}

static bool
read_two(const struct request *request, const char *const names[2], struct str *first,
         struct str *second, struct err *err)
{
    const struct json_value *body;
    return json_body_read(request, names, 2, &body, err) &&
           json_body_str(body, names[0], first, err) &&
           json_body_str(body, names[1], second, err);
}

static const char *const LOGIN[2] = {"username", "password"};

bool
register_player(struct app *app, struct request *request, struct response *response,
                struct err *err)
{
    struct account_service service = account_service_of(app);
    struct account_login login;
    struct str username, password;
    if (!read_two(request, LOGIN, &username, &password, err) ||
        !account_register(request->arena, &service, username, password, &login, err))
        return false;
    login_answer(app, request, response, &login);
    return true;
}

bool
log_in(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct account_service service = account_service_of(app);
    struct account_login login;
    struct str username, password;
    if (!read_two(request, LOGIN, &username, &password, err) ||
        !account_log_in(request->arena, &service, username, password, request->address, &login,
                        err))
        return false;
    login_answer(app, request, response, &login);
    return true;
}

bool
get_me(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct account account;
    if (!account_get(request->arena, app->db, request->player_id, &account, err))
        return false;
    struct json j = object_begin(response);
    login_add_player(&j, &account);
    json_member_timestamp(&j, "created_at", account.created_at);
    object_end(&j);
    return true;
}

bool
change_password(struct app *app, struct request *request, struct response *response,
                struct err *err)
{
    static const char *const PASSWORDS[2] = {"old_password", "new_password"};
    struct account_service service = account_service_of(app);
    struct str old_password, new_password;
    if (!read_two(request, PASSWORDS, &old_password, &new_password, err) ||
        !account_change_password(request->arena, &service, request->player_id,
                                 request->session_id, old_password, new_password,
                                 request->address, err))
        return false;
    response->status = 204;
    return true;
}

/* {NULL, 0} without a body, and where it has none. */
static bool
read_password(const struct request *request, struct str *password, struct err *err)
{
    static const char *const MEMBERS[] = {"password"};
    const struct json_value *body;
    *password = (struct str){NULL, 0};
    if (request->body.n == 0)
        return true;
    return json_body_read(request, MEMBERS, COUNT_OF(MEMBERS), &body, err) &&
           (!json_get_given(body, "password") ||
            json_body_str(body, "password", password, err));
}

bool
delete_me(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct account_service service = account_service_of(app);
    struct str password;
    if (!read_password(request, &password, err) ||
        !account_delete(request->arena, &service, request->player_id, request->session_id,
                        password, request->address, err))
        return false;
    response->status = 204;
    return true;
}
