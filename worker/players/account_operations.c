/* What changes of accounts do to the database; run by the writer inside its transaction (see
 * writer.h).  The caller has hashed or compared a password before, against the hash that was
 * stored then: the operation is refused when the stored hash has changed since. */
#include "players/account_operations.h"

#include "base/clock.h"
#include "base/utf8.h"

bool
account_refuse_taken(struct str username, struct err *err)
{
    return err_set_name(err, ERR_CONFLICT, ACCOUNT_TAKEN, STR("username"),
                        "the username '%" STR_FMT "' is taken", STR_ARG(username));
}

bool
account_step(struct stmt *s, struct err *err)
{
    int got = stmt_step(s, err);
    if (got == 0)
        err_set(err, ERR_NOT_FOUND, "the player is gone");
    return got == 1;
}

static bool
begin_session(struct arena *a, struct db *db, int64_t player_id,
              const struct account_change *change, int64_t now_ms, struct account *out,
              struct err *err)
{
    return session_begin_in(db, player_id, change->session_id, change->refresh_hash, now_ms,
                            change->session_lifetime_ms, err) &&
           account_get(a, db, player_id, out, err);
}

static bool
run_register(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct account_change *change = argument;
    int64_t now_ms = clock_now_ms();
    scoped_arena folded = {0};
    scoped_stmt s = db_stmt(db, "account_insert");
    stmt_bind_str(s, 1, change->username);
    stmt_bind_str(s, 2, utf8_folded(&folded, change->username));
    stmt_bind_str(s, 3, change->hash);
    stmt_bind_i64(s, 4, now_ms);
    int got = stmt_step(s, err);
    if (got == 0) /* the name is taken */
        account_refuse_taken(change->username, err);
    int64_t player_id = got == 1 ? stmt_i64(s, 0) : 0;
    stmt_done(&s);
    return got == 1 && begin_session(a, db, player_id, change, now_ms, reply, err);
}

static bool
check_hash(struct db *db, int64_t player_id, struct str hash, struct err *err)
{
    scoped_stmt s = db_stmt(db, "account_password_of");
    stmt_bind_i64(s, 1, player_id);
    int got = stmt_step(s, err);
    if (got < 0)
        return false;
    return (got == 1 && str_eq(stmt_str(s, 1), hash)) ||
           err_set_code(err, ERR_UNAUTHORIZED, "login_failed",
                        "the username or the password is wrong");
}

static bool
run_log_in(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct account_change *change = argument;
    return check_hash(db, change->player_id, change->hash, err) &&
           throttle_clear_in(db, change->failures.subjects[THROTTLE_BOTH], err) &&
           begin_session(a, db, change->player_id, change, clock_now_ms(), reply, err);
}

static bool
run_failure(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
            struct err *err)
{
    const struct account_change *change = argument;
    return throttle_note_in(db, &change->failures, clock_now_ms(), change->failures_window_ms,
                            err);
}

static bool
run_set_password(struct arena *a UNUSED, struct db *db, const void *argument,
                 void *reply UNUSED, struct err *err)
{
    const struct account_change *change = argument;
    scoped_stmt s = db_stmt(db, "account_set_password");
    stmt_bind_i64(s, 1, change->player_id);
    stmt_bind_str(s, 2, change->hash);
    stmt_bind_str(s, 3, change->old_hash);
    int got = stmt_step(s, err);
    stmt_done(&s);
    if (got == 0)
        err_set_code(err, ERR_UNAUTHORIZED, "login_failed", "the old password is wrong");
    return got == 1 && throttle_clear_in(db, change->failures.subjects[THROTTLE_BOTH], err) &&
           session_revoke_others_in(db, change->player_id, change->session_id, clock_now_ms(),
                                    err);
}

static bool
run_delete(struct arena *a, struct db *db, const void *argument, void *reply UNUSED,
           struct err *err)
{
    const struct account_change *change = argument;
    int64_t player_id = change->player_id, now_ms = clock_now_ms();
    struct account account;
    /* Failed logins, which are stored under the name too, before the player, since the name is
     * read from the player's row. */
    if (!check_hash(db, player_id, change->hash, err) ||
        !account_get(a, db, player_id, &account, err) ||
        !throttle_forget_in(db, account.username, err))
        return false;
    scoped_stmt s = db_stmt(db, "account_delete");
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_i64(s, 2, now_ms);
    bool is_gone = account_step(s, err);
    stmt_done(&s);
    return is_gone && session_revoke_others_in(db, player_id, STR(""), now_ms, err);
}

#define MEMBER(name) CODEC_FIELD(struct account_change, name)
#define SESSION MEMBER(session_id), MEMBER(refresh_hash), MEMBER(session_lifetime_ms)
static const struct codec REGISTERED =
    CODEC(struct account_change, MEMBER(username), MEMBER(hash), SESSION);
static const struct codec LOGGED_IN =
    CODEC(struct account_change, MEMBER(player_id), MEMBER(hash),
          MEMBER(failures.subjects[THROTTLE_BOTH]), SESSION);
static const struct codec PASSWORD =
    CODEC(struct account_change, MEMBER(player_id), MEMBER(hash), MEMBER(old_hash),
          MEMBER(session_id), MEMBER(failures.subjects[THROTTLE_BOTH]));
static const struct codec DELETED =
    CODEC(struct account_change, MEMBER(player_id), MEMBER(hash));
static const struct codec FAILURE =
    CODEC(struct account_change, MEMBER(failures.subjects[THROTTLE_BOTH]),
          MEMBER(failures.subjects[THROTTLE_ACCOUNT]),
          MEMBER(failures.subjects[THROTTLE_ADDRESS]), MEMBER(failures_window_ms));
static const struct codec ACCOUNT = CODEC(
    struct account, CODEC_FIELD(struct account, id), CODEC_FIELD(struct account, username),
    CODEC_FIELD(struct account, balance), CODEC_FIELD(struct account, created_at));

const struct operation ACCOUNT_OPERATIONS[ACCOUNT_OPERATION_COUNT + 1] = {
    [ACCOUNT_REGISTER] = {.name = "account_register",
                          .argument = &REGISTERED,
                          .reply = &ACCOUNT,
                          .run = run_register},
    [ACCOUNT_LOG_IN] = {.name = "account_log_in",
                        .argument = &LOGGED_IN,
                        .reply = &ACCOUNT,
                        .run = run_log_in},
    [ACCOUNT_SET_PASSWORD] = {.name = "account_set_password",
                              .argument = &PASSWORD,
                              .run = run_set_password},
    [ACCOUNT_DELETE] = {.name = "account_delete", .argument = &DELETED, .run = run_delete},
    [ACCOUNT_LOGIN_FAILURE] = {.name = "login_failure",
                               .argument = &FAILURE,
                               .run = run_failure},
};
