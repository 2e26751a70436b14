/* The messages between account.c, which sends operations, and account_operations.c, whose
 * operations the writer runs. */
#pragma once

#include "players/account.h"
#include "players/throttle.h"

enum account_operation {
    ACCOUNT_REGISTER,
    ACCOUNT_LOG_IN,
    ACCOUNT_SET_PASSWORD,
    ACCOUNT_DELETE,
    ACCOUNT_LOGIN_FAILURE,
    ACCOUNT_OPERATION_COUNT
};
/* The argument of each, which takes some of it.  A register or log-in begins the session and
 * replies with the account. */
struct account_change {
    int64_t player_id;
    struct str username;
    struct str hash; /* of the password: to be stored, or the one that was compared with */
    struct str old_hash;
    struct str session_id;
    struct str refresh_hash; /* binary */
    int64_t session_lifetime_ms;
    struct throttle_key failures;
    int64_t failures_window_ms;
};

/* Steps to the row of the player; not_found when there is none. */
MUST_CHECK bool account_step(struct stmt *s, struct err *err);

/* Sets conflict with code ACCOUNT_TAKEN and returns false. */
bool account_refuse_taken(struct str username, struct err *err);
#define ACCOUNT_TAKEN "username_taken"
