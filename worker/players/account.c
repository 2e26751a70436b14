/* The client side.  A login checks in this order, which makes it both safe and cheap: the form,
 * then the counts of failures, then the hash, and only then the writer.  A new password is
 * checked for strength before it is hashed. */
#include "players/account.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "players/account_operations.h"
#include "players/strength.h"

#include <string.h>

static bool
check_forms(struct str username, struct str password, struct err *err)
{
    if (username.n < ACCOUNT_USERNAME_BYTES_MIN || username.n > ACCOUNT_USERNAME_BYTES_MAX ||
        !str_is_alnum(username, "_.-"))
        return err_set_name(err, ERR_INVALID, "bad_username", STR("username"),
                            "a username is %d to %d of A-Z a-z 0-9 _ . -, got '%" STR_FMT "'",
                            ACCOUNT_USERNAME_BYTES_MIN, ACCOUNT_USERNAME_BYTES_MAX,
                            STR_ARG(username));
    return password_check_form(STR("password"), password, err);
}

bool
account_get(struct arena *a, struct db *db, int64_t player_id, struct account *out,
            struct err *err)
{
    scoped_stmt s = db_stmt(db, "account_get");
    stmt_bind_i64(s, 1, player_id);
    if (!account_step(s, err))
        return false;
    *out = (struct account){.id = stmt_i64(s, 0),
                            .username = arena_str(a, stmt_str(s, 1)),
                            .balance = stmt_i64(s, 2),
                            .created_at = stmt_i64(s, 3)};
    return true;
}

/* The name and password of a request, and what is known about the name. */
struct visit {
    struct arena *arena;
    const struct account_service *service;
    struct str username, password;
    struct throttle_key failures;
    int64_t player_id; /* 0: no player has the name */
    struct str hash;   /* "" with player_id 0 */
};

static bool
find_by_name(struct visit *v, struct err *err)
{
    scoped_stmt s = db_stmt(v->service->db, "account_password");
    stmt_bind_str(s, 1, utf8_folded(v->arena, v->username));
    int got = stmt_step(s, err);
    v->player_id = got == 1 ? stmt_i64(s, 0) : 0;
    v->hash = got == 1 ? arena_str(v->arena, stmt_str(s, 1)) : STR("");
    return got >= 0;
}

static bool
find_by_id(struct visit *v, int64_t player_id, struct err *err)
{
    scoped_stmt s = db_stmt(v->service->db, "account_password_of");
    stmt_bind_i64(s, 1, player_id);
    if (!account_step(s, err))
        return false;
    v->player_id = player_id;
    v->username = arena_str(v->arena, stmt_str(s, 0));
    v->hash = arena_str(v->arena, stmt_str(s, 1));
    return true;
}

static bool
check_throttle(struct visit *v, struct str address, struct err *err)
{
    v->failures = throttle_make_key(v->arena, v->username, address);
    return throttle_check(v->service->db, v->service->config, &v->failures, clock_now_ms(),
                          err);
}

static bool
call(const struct account_service *service, enum account_operation operation,
     const struct account_change *change, struct account *out, struct err *err)
{
    return writer_call(service->writer, &ACCOUNT_OPERATIONS[operation], change, out, err);
}

static bool
check_in_slot(struct visit *v, const char *why, struct err *err)
{
    const struct account_service *s = v->service;
    bool is_right;
    if (!throttle_check(s->db, s->config, &v->failures, clock_now_ms(), err) ||
        !password_verify(s->hasher, v->hash, v->password, &is_right, err))
        return false;
    if (is_right)
        return true;
    /* Counted before the refusal is sent, so without a writer nobody can guess. */
    struct account_change failed = {.failures = v->failures,
                                    .failures_window_ms =
                                        (int64_t)s->config->players_login_window};
    return call(s, ACCOUNT_LOGIN_FAILURE, &failed, NULL, err) &&
           err_set_code(err, ERR_UNAUTHORIZED, "login_failed", "%s", why);
}

/* The counts are checked again inside the slot, and the slot is kept until the failure is
 * counted: of many requests that guess at once and passed the first check, at most as many as
 * there are slots exceed the limit.  `why` is the same for a name that does not exist. */
static bool
check_password(struct visit *v, const char *why, struct err *err)
{
    if (!password_hold(v->service->hasher, err))
        return false;
    bool ok = check_in_slot(v, why, err);
    password_release(v->service->hasher);
    return ok;
}

/* For an operation that begins a session. */
static bool
call_for_session(struct visit *v, enum account_operation operation,
                 struct account_change *change, struct account_login *out, struct err *err)
{
    unsigned char hash[SHA256_BYTES];
    struct session_grant grant;
    struct account account;
    session_make_grant(&grant);
    change->session_id = str_from(grant.id);
    change->refresh_hash = session_refresh_hash(str_from(grant.refresh_token), hash);
    change->session_lifetime_ms = (int64_t)v->service->config->players_refresh_lifetime;
    if (!call(v->service, operation, change, &account, err))
        return false;
    account.username = arena_str(v->arena, account.username);
    grant.player_id = account.id;
    *out = (struct account_login){account, grant, operation == ACCOUNT_REGISTER};
    return true;
}

static bool
register_new(struct visit *v, struct account_login *out, struct err *err)
{
    char hash[PASSWORD_HASH_BYTES_MAX];
    if (!strength_check(v->service->config, STR("password"), v->username, v->password, err) ||
        !password_hash(v->service->hasher, v->password, hash, err))
        return false;
    struct account_change change = {.username = v->username, .hash = str_from(hash)};
    return call_for_session(v, ACCOUNT_REGISTER, &change, out, err);
}

bool
account_register(struct arena *a, const struct account_service *service, struct str username,
                 struct str password, struct account_login *out, struct err *err)
{
    struct visit v = {
        .arena = a, .service = service, .username = username, .password = password};
    if (!check_forms(username, password, err) || !find_by_name(&v, err))
        return false;
    /* The writer checks this again; here it saves computing a hash. */
    return v.player_id ? account_refuse_taken(username, err) : register_new(&v, out, err);
}

bool
account_log_in(struct arena *a, const struct account_service *service, struct str username,
               struct str password, struct str address, struct account_login *out,
               struct err *err)
{
    struct visit v = {
        .arena = a, .service = service, .username = username, .password = password};
    if (!check_forms(username, password, err) || !check_throttle(&v, address, err) ||
        !find_by_name(&v, err))
        return false;
    if (!v.player_id && service->config->players_login_registers) {
        if (register_new(&v, out, err))
            return true;
        if (strcmp(err_code(err), ACCOUNT_TAKEN) != 0)
            return false;
        /* Another request has registered the name meanwhile, so its password is the right one.
         */
        *err = (struct err){0};
        if (!find_by_name(&v, err))
            return false;
    }
    if (!check_password(&v, "the username or the password is wrong", err))
        return false;
    struct account_change change = {
        .player_id = v.player_id, .hash = v.hash, .failures = v.failures};
    return call_for_session(&v, ACCOUNT_LOG_IN, &change, out, err);
}

bool
account_change_password(struct arena *a, const struct account_service *service,
                        int64_t player_id, struct str session_id, struct str old_password,
                        struct str new_password, struct str address, struct err *err)
{
    struct visit v = {.arena = a, .service = service, .password = old_password};
    char hash[PASSWORD_HASH_BYTES_MAX];
    if (!password_check_form(STR("new_password"), new_password, err) ||
        !find_by_id(&v, player_id, err) ||
        !strength_check(service->config, STR("new_password"), v.username, new_password, err) ||
        !check_throttle(&v, address, err) ||
        !check_password(&v, "the old password is wrong", err) ||
        !password_hash(service->hasher, new_password, hash, err))
        return false;
    struct account_change change = {.player_id = player_id,
                                    .hash = str_from(hash),
                                    .old_hash = v.hash,
                                    .session_id = session_id,
                                    .failures = v.failures};
    return call(service, ACCOUNT_SET_PASSWORD, &change, NULL, err);
}

static bool
check_recent(const struct account_service *service, struct str session_id, struct err *err)
{
    bool is_recent;
    if (!session_is_recent(service->db, session_id, clock_now_ms(), &is_recent, err))
        return false;
    return is_recent ||
           err_set_name(err, ERR_UNAUTHORIZED, "password_required", STR("password"),
                        "this cannot be undone: it needs the password in the body, "
                        "{\"password\": \"...\"}, or a login of the last %d minutes",
                        (int)(SESSION_RECENT_MS / 60000));
}

bool
account_delete(struct arena *a, const struct account_service *service, int64_t player_id,
               struct str session_id, struct str password, struct str address, struct err *err)
{
    struct visit v = {.arena = a, .service = service, .password = password};
    if (!find_by_id(&v, player_id, err))
        return false;
    bool may_leave = password.p ? check_throttle(&v, address, err) &&
                                      check_password(&v, "the password is wrong", err)
                                : check_recent(service, session_id, err);
    if (!may_leave)
        return false;
    struct account_change change = {.player_id = player_id, .hash = v.hash};
    return call(service, ACCOUNT_DELETE, &change, NULL, err);
}
