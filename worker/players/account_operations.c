/* What changes of accounts do to the database; run by the writer, inside its transaction (see
 * writer.h).  A password was hashed or compared before, by who asked, against the hash that was
 * there then: the operation goes through only while that hash is still the one. */
#include "players/account_operations.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "players/throttle.h"

void
account_session_add(struct buf *out, const struct account_session *session)
{
    wire_add_str(out, session->id);
    wire_add_str(out, session->refresh_hash);
    wire_add_u64(out, (uint64_t)session->lifetime_ms);
}

struct account_session
account_session_read(struct wire *w)
{
    struct str id = wire_str(w), refresh_hash = wire_str(w);
    return (struct account_session){id, refresh_hash, (int64_t)wire_u64(w)};
}

void
account_add(struct buf *out, const struct account *account)
{
    wire_add_u64(out, (uint64_t)account->id);
    wire_add_str(out, account->username);
    wire_add_u64(out, (uint64_t)account->balance);
    wire_add_u64(out, (uint64_t)account->created_at);
}

struct account
account_read(struct arena *a, struct wire *w)
{
    struct account account = {.id = (int64_t)wire_u64(w)};
    account.username = arena_str(a, wire_str(w));
    account.balance = (int64_t)wire_u64(w);
    account.created_at = (int64_t)wire_u64(w);
    return account;
}

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

/* 1 with its id, 0 when the name is taken, -1 error. */
static int
insert_player(struct db *db, struct str username, struct str hash, int64_t now_ms,
              int64_t *player_id, struct err *err)
{
    scoped_arena a = {0};
    scoped_stmt s = db_stmt(db, "account_insert");
    stmt_bind_str(s, 1, username);
    stmt_bind_str(s, 2, utf8_folded(&a, username));
    stmt_bind_str(s, 3, hash);
    stmt_bind_i64(s, 4, now_ms);
    int got = stmt_step(s, err);
    *player_id = got == 1 ? stmt_i64(s, 0) : 0;
    return got;
}

static bool
begin_session(struct db *db, int64_t player_id, const struct account_session *session,
              int64_t now_ms, struct buf *reply, struct err *err)
{
    scoped_arena a = {0};
    struct account account;
    if (!session_begin_in(db, player_id, session->id, session->refresh_hash, now_ms,
                          session->lifetime_ms, err) ||
        !account_get(&a, db, player_id, &account, err))
        return false;
    account_add(reply, &account);
    return true;
}

static bool
run_register(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    struct str username = wire_str(&w), hash = wire_str(&w);
    struct account_session session = account_session_read(&w);
    if (!wire_end(&w, err))
        return false;
    int64_t player_id, now_ms = clock_now_ms();
    int got = insert_player(db, username, hash, now_ms, &player_id, err);
    if (got == 0)
        account_refuse_taken(username, err);
    return got == 1 && begin_session(db, player_id, &session, now_ms, reply, err);
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
run_log_in(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    int64_t player_id = (int64_t)wire_u64(&w);
    struct str hash = wire_str(&w), failures = wire_str(&w);
    struct account_session session = account_session_read(&w);
    return wire_end(&w, err) && check_hash(db, player_id, hash, err) &&
           throttle_clear_in(db, failures, err) &&
           begin_session(db, player_id, &session, clock_now_ms(), reply, err);
}

static bool
run_failure(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    struct throttle_key key;
    for (size_t i = 0; i < THROTTLE_KINDS; i++)
        key.subjects[i] = wire_str(&w);
    int64_t window_ms = (int64_t)wire_u64(&w);
    return wire_end(&w, err) && throttle_note_in(db, &key, clock_now_ms(), window_ms, err);
}

static bool
replace_hash(struct db *db, int64_t player_id, struct str hash, struct str old_hash,
             struct err *err)
{
    scoped_stmt s = db_stmt(db, "account_set_password");
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_str(s, 2, hash);
    stmt_bind_str(s, 3, old_hash);
    int got = stmt_step(s, err);
    if (got == 0)
        err_set_code(err, ERR_UNAUTHORIZED, "login_failed", "the old password is wrong");
    return got == 1;
}

static bool
run_set_password(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    int64_t player_id = (int64_t)wire_u64(&w);
    struct str hash = wire_str(&w), old_hash = wire_str(&w);
    struct str session_id = wire_str(&w), failures = wire_str(&w);
    return wire_end(&w, err) && replace_hash(db, player_id, hash, old_hash, err) &&
           throttle_clear_in(db, failures, err) &&
           session_revoke_others_in(db, player_id, session_id, clock_now_ms(), err);
}

/* The name stands among the wrong passwords of late too. */
static bool
forget_failures(struct db *db, int64_t player_id, struct err *err)
{
    scoped_arena a = {0};
    struct account account;
    return account_get(&a, db, player_id, &account, err) &&
           throttle_forget_in(db, account.username, err);
}

static bool
forget_player(struct db *db, int64_t player_id, int64_t now_ms, struct err *err)
{
    scoped_stmt s = db_stmt(db, "account_delete");
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_i64(s, 2, now_ms);
    return account_step(s, err);
}

static bool
run_delete(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    int64_t player_id = (int64_t)wire_u64(&w), now_ms = clock_now_ms();
    struct str hash = wire_str(&w);
    /* The failures before the player, whose row has the name. */
    return wire_end(&w, err) && check_hash(db, player_id, hash, err) &&
           forget_failures(db, player_id, err) && forget_player(db, player_id, now_ms, err) &&
           session_revoke_others_in(db, player_id, STR(""), now_ms, err);
}

const struct operation ACCOUNT_OPERATIONS[] = {
    {.name = "account_register", .run_bytes = run_register},
    {.name = "account_log_in", .run_bytes = run_log_in},
    {.name = "account_set_password", .run_bytes = run_set_password},
    {.name = "account_delete", .run_bytes = run_delete},
    {.name = "login_failure", .run_bytes = run_failure},
    {0},
};
