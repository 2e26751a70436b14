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

void
login_answer(struct app *app, struct request *request, struct response *response,
             const struct account_login *login)
{
    uint64_t lifetime_s = app->config->players_token_lifetime / 1000;
    int64_t now_s = clock_now_ms() / 1000;
    struct token_claims claims = {.player_id = login->grant.player_id,
                                  .issued_at_s = now_s,
                                  .expires_at_s = now_s + (int64_t)lifetime_s};
    memcpy(claims.session_id, login->grant.id, sizeof(claims.session_id));
    response->status = login->is_new ? 201 : 200;
    struct json j = object_begin(response);
    json_member_str(
        &j, "token",
        token_make(request->arena, &app->secrets, app->config->players_issuer, &claims));
    json_member_str(&j, "token_type", STR("Bearer"));
    json_member_u64(&j, "expires_in", lifetime_s);
    json_member_str(&j, "refresh_token", str_from(login->grant.refresh_token));
    json_member_begin_object(&j, "player");
    login_add_player(&j, &login->account);
    json_end_object(&j);
    object_end(&j);
}
