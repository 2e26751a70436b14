/* Accounts: register, log in, change the password, delete.  The slow part (hashing) is done by
 * the process that calls; the writer only compares and stores.
 *
 * A wrong password and an unknown name get the same answer in the same time.  Failures are
 * counted per account and address, per account, and per address (players.login_failures); once
 * a limit is reached even the right password is refused (429, code login_throttled), before it
 * is hashed. */
#pragma once

#include "players/password.h"
#include "players/session.h"
#include "writer/client.h"

#define ACCOUNT_USERNAME_BYTES_MIN 3
#define ACCOUNT_USERNAME_BYTES_MAX 64

struct account {
    int64_t id;
    struct str username; /* as registered */
    int64_t balance;
    int64_t created_at;
};
/* not_found for a player who was deleted. */
MUST_CHECK bool account_get(struct arena *a, struct db *db, int64_t player_id,
                            struct account *out, struct err *err);

struct account_service { /* what the calls below work with */
    const struct config *config;
    struct db *db;
    struct writer *writer;
    struct password_hasher *hasher;
};
struct account_login {
    struct account account;
    struct session_grant grant;
    bool is_new; /* registered by this call */
};
/* conflict, code username_taken; invalid for a name or password of the wrong form and, with
 * code weak_password, for a password that is easy to guess; busy, code hashing_busy. */
MUST_CHECK bool account_register(struct arena *a, const struct account_service *service,
                                 struct str username, struct str password,
                                 struct account_login *out, struct err *err);
/* Registers a new name if players.login_registers is set.  When two requests with the same new
 * name come at once, one registers, and the other logs in if its password is the same.
 * unauthorized, code login_failed; too_many_requests, code login_throttled. */
MUST_CHECK bool account_log_in(struct arena *a, const struct account_service *service,
                               struct str username, struct str password, struct str address,
                               struct account_login *out, struct err *err);
/* Ends all other sessions of the player.  invalid as account_register; unauthorized, code
 * login_failed, for a wrong old password, which counts as a failed login. */
MUST_CHECK bool account_change_password(struct arena *a, const struct account_service *service,
                                        int64_t player_id, struct str session_id,
                                        struct str old_password, struct str new_password,
                                        struct str address, struct err *err);
/* Deletes name, password, failed logins and sessions; the name can then be registered again.
 * Ledger and events are kept under the player's number, which no longer leads to a person.
 * `password` may be {NULL, 0} when the session is recent (session_is_recent).  unauthorized,
 * code password_required when it is not; code login_failed for a wrong password, which counts
 * as a failed login. */
MUST_CHECK bool account_delete(struct arena *a, const struct account_service *service,
                               int64_t player_id, struct str session_id, struct str password,
                               struct str address, struct err *err);

extern const struct operation ACCOUNT_OPERATIONS[]; /* ends with a NULL name */
