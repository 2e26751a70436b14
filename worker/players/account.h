/* Accounts: registering, logging in, changing the password, leaving.  The slow part (hashing)
 * is done by the caller's process, the writer only compares and stores.
 *
 * A wrong password and an unknown name are one answer in the same time.  Failures are counted
 * per account and address, per account and per address (players.login_failures); beyond, even
 * the right password is refused (429, code login_throttled) before it is hashed. */
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
/* not_found for a player who is gone. */
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
/* conflict, code username_taken; invalid for a name or password of the wrong form, and, code
 * weak_password, for one that is guessed first; busy, code hashing_busy. */
MUST_CHECK bool account_register(struct arena *a, const struct account_service *service,
                                 struct str username, struct str password,
                                 struct account_login *out, struct err *err);
/* Registers a new name when players.login_registers; of two who come with it at once, one
 * registers and the other logs in, if it knows the password.  unauthorized, code login_failed;
 * too_many_requests, code login_throttled. */
MUST_CHECK bool account_log_in(struct arena *a, const struct account_service *service,
                               struct str username, struct str password, struct str address,
                               struct account_login *out, struct err *err);
/* Ends all other sessions.  invalid as account_register; unauthorized, code login_failed, for a
 * wrong old password, which counts as a failed login does. */
MUST_CHECK bool account_change_password(struct arena *a, const struct account_service *service,
                                        int64_t player_id, struct str session_id,
                                        struct str old_password, struct str new_password,
                                        struct str address, struct err *err);
/* Takes name, password, failed logins and sessions away, for good; the name may be registered
 * anew.  Ledger and events stay, as those of a number that nobody can be found by.  `password`
 * may be {NULL, 0} where the session is recent (session_is_recent).  unauthorized, code
 * password_required where it is not, login_failed for a wrong one, which counts as a failed
 * login does. */
MUST_CHECK bool account_delete(struct arena *a, const struct account_service *service,
                               int64_t player_id, struct str session_id, struct str password,
                               struct str address, struct err *err);

extern const struct operation ACCOUNT_OPERATIONS[]; /* ends with a NULL name */
