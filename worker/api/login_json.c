#include "api/login_json.h"

#include "api/object.h"
#include "base/clock.h"

#include <string.h>

void
login_add_player(struct json *j, const struct account *account)
{
    json_member_i64(j, "id", account->id);
    json_member_str(j, "username", account->username);
    json_member_i64(j, "balance", account->balance);
}

static struct str
make_token(struct app *app, struct request *request, const struct session_grant *grant)
{
    int64_t now_s = clock_now_ms() / 1000;
    struct token_claims claims = {
        .player_id = grant->player_id,
        .issued_at_s = now_s,
        .expires_at_s = now_s + (int64_t)app->config->players_token_lifetime / 1000};
    memcpy(claims.session_id, grant->id, sizeof(claims.session_id));
    return token_make(request->arena, &app->secrets, app->config->players_issuer, &claims);
}

void
login_answer(struct app *app, struct request *request, struct response *response,
             const struct account_login *login)
{
    response->status = login->is_new ? 201 : 200;
    struct json j = object_begin(response);
    json_member_str(&j, "token", make_token(app, request, &login->grant));
    json_member_str(&j, "token_type", STR("Bearer"));
    json_member_u64(&j, "expires_in", app->config->players_token_lifetime / 1000);
    json_member_str(&j, "refresh_token", str_from(login->grant.refresh_token));
    json_key(&j, "player");
    json_begin_object(&j);
    login_add_player(&j, &login->account);
    json_end_object(&j);
    object_end(&j);
}
