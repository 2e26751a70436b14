/* What register, login and refresh answer, and the player in it. */
#pragma once

#include "api/app.h"
#include "players/account.h"
#include "json/write.h"

/* {"token", "token_type", "expires_in", "refresh_token", "player"}, 201 for a new account. */
void login_answer(struct app *app, struct request *request, struct response *response,
                  const struct account_login *login);
/* The members id, username and balance. */
void login_add_player(struct json *j, const struct account *account);
