/* See session.h.  A refresh is one operation of the writer, so of two that show the same token
 * at once one is the reuse of the other.
 *
 * An operation that fails is rolled back.  A reuse has to be remembered, so for the writer it
 * is an operation that succeeds, and says in its reply what it found. */
#include "players/session.h"

#include "base/clock.h"
#include "base/hash.h"
#include "store/wire.h"

#include <string.h>

#define REFRESH_PREFIX "pmr_"
/* Ended sessions and used refresh tokens are removed by those who log in or refresh: more than
 * the one row that each of them adds, and few enough that nobody waits for it. */
#define SWEPT_MAX 8

enum refresh_outcome { REFRESH_GRANTED, REFRESH_REUSED };

void
session_make_grant(struct session_grant *out)
{
    *out = (struct session_grant){.refresh_token = REFRESH_PREFIX};
    random_hex(out->id, TOKEN_SESSION_DIGITS);
    random_hex(out->refresh_token + strlen(REFRESH_PREFIX),
               SESSION_REFRESH_BYTES - strlen(REFRESH_PREFIX));
}

struct str
session_refresh_hash(struct str refresh_token, unsigned char out[SHA256_BYTES])
{
    sha256_of(refresh_token, out);
    return (struct str){(const char *)out, SHA256_BYTES};
}

static bool
sweep(struct db *db, const char *statement, int64_t now_ms, struct err *err)
{
    scoped_stmt s = db_stmt(db, statement);
    stmt_bind_i64(s, 1, now_ms);
    stmt_bind_i64(s, 2, SWEPT_MAX);
    return stmt_run(s, err);
}

/* Used tokens first: they hold their session. */
static bool
sweep_ended(struct db *db, int64_t now_ms, struct err *err)
{
    return sweep(db, "session_sweep_used", now_ms, err) &&
           sweep(db, "session_sweep", now_ms, err);
}

static bool
trim(struct db *db, const char *statement, int64_t player_id, struct err *err)
{
    scoped_stmt s = db_stmt(db, statement);
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_i64(s, 2, SESSION_PLAYER_MAX - 1);
    return stmt_run(s, err);
}

/* Makes room for one more of the player's. */
static bool
trim_player(struct db *db, int64_t player_id, struct err *err)
{
    return trim(db, "session_trim_used", player_id, err) &&
           trim(db, "session_trim", player_id, err);
}

bool
session_begin_in(struct db *db, int64_t player_id, struct str id, struct str refresh_hash,
                 int64_t now_ms, int64_t lifetime_ms, struct err *err)
{
    if (!sweep_ended(db, now_ms, err) || !trim_player(db, player_id, err))
        return false;
    scoped_stmt s = db_stmt(db, "session_insert");
    stmt_bind_str(s, 1, id);
    stmt_bind_i64(s, 2, player_id);
    stmt_bind_blob(s, 3, refresh_hash);
    stmt_bind_i64(s, 4, now_ms);
    stmt_bind_i64(s, 5, now_ms + lifetime_ms);
    return stmt_run(s, err);
}

bool
session_revoke_others_in(struct db *db, int64_t player_id, struct str kept_id, int64_t now_ms,
                         struct err *err)
{
    scoped_stmt s = db_stmt(db, "session_revoke_others");
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_str(s, 2, kept_id);
    stmt_bind_i64(s, 3, now_ms);
    return stmt_run(s, err);
}

bool
session_check(struct db *db, struct str id, int64_t player_id, int64_t now_ms, struct err *err)
{
    scoped_stmt s = db_stmt(db, "session_is_good");
    stmt_bind_str(s, 1, id);
    stmt_bind_i64(s, 2, player_id);
    stmt_bind_i64(s, 3, now_ms);
    int got = stmt_step(s, err);
    if (got == 0)
        err_set_code(err, ERR_UNAUTHORIZED, "token_revoked",
                     "the login that this token belongs to has ended");
    return got == 1;
}

static bool
revoke_in(struct db *db, struct str id, int64_t now_ms, struct err *err)
{
    scoped_stmt s = db_stmt(db, "session_revoke");
    stmt_bind_str(s, 1, id);
    stmt_bind_i64(s, 2, now_ms);
    return stmt_run(s, err);
}

/* What a refresh found and gives. */
struct refresh {
    struct db *db;
    struct str shown_hash, new_hash;
    int64_t now_ms, lifetime_ms;
    /* Of the session that the shown token belongs to. */
    struct str id;
    int64_t player_id, expires_at;
};

/* 1 found and good, 0 no session has this token now, -1 error or refused. */
static int
find_session(struct arena *a, struct refresh *r, struct err *err)
{
    scoped_stmt s = db_stmt(r->db, "session_of_refresh");
    stmt_bind_blob(s, 1, r->shown_hash);
    int got = stmt_step(s, err);
    if (got != 1)
        return got;
    r->id = arena_str(a, stmt_str(s, 0));
    r->player_id = stmt_i64(s, 1);
    r->expires_at = stmt_i64(s, 2);
    if (stmt_i64(s, 3))
        err_set_code(err, ERR_UNAUTHORIZED, "refresh_invalid",
                     "the login that this refresh token belongs to has ended");
    else if (r->expires_at <= r->now_ms)
        err_set_code(err, ERR_UNAUTHORIZED, "refresh_expired",
                     "the refresh token has expired; log in again");
    else
        return 1;
    return -1;
}

static bool
keep_used(const struct refresh *r, struct err *err)
{
    scoped_stmt s = db_stmt(r->db, "session_keep_used");
    stmt_bind_blob(s, 1, r->shown_hash);
    stmt_bind_str(s, 2, r->id);
    stmt_bind_i64(s, 3, r->now_ms);
    stmt_bind_i64(s, 4, r->expires_at);
    return stmt_run(s, err);
}

static bool
forget_old_used(const struct refresh *r, struct err *err)
{
    scoped_stmt s = db_stmt(r->db, "session_trim_used_of");
    stmt_bind_str(s, 1, r->id);
    stmt_bind_i64(s, 2, SESSION_USED_MAX);
    return stmt_run(s, err);
}

static bool
rotate(const struct refresh *r, struct err *err)
{
    scoped_stmt s = db_stmt(r->db, "session_rotate");
    stmt_bind_str(s, 1, r->id);
    stmt_bind_blob(s, 2, r->new_hash);
    stmt_bind_i64(s, 3, r->now_ms);
    stmt_bind_i64(s, 4, r->now_ms + r->lifetime_ms);
    return stmt_run(s, err);
}

static bool
grant(const struct refresh *r, struct buf *reply, struct err *err)
{
    if (!keep_used(r, err) || !forget_old_used(r, err) || !rotate(r, err) ||
        !sweep_ended(r->db, r->now_ms, err))
        return false;
    wire_add_u64(reply, REFRESH_GRANTED);
    wire_add_str(reply, r->id);
    wire_add_u64(reply, (uint64_t)r->player_id);
    return true;
}

static bool
find_used(struct arena *a, const struct refresh *r, struct str *id, struct err *err)
{
    scoped_stmt s = db_stmt(r->db, "session_of_used_refresh");
    stmt_bind_blob(s, 1, r->shown_hash);
    int got = stmt_step(s, err);
    if (got == 0)
        err_set_code(err, ERR_UNAUTHORIZED, "refresh_invalid",
                     "this is no refresh token, or its login ended long ago");
    if (got == 1)
        *id = arena_str(a, stmt_str(s, 0));
    return got == 1;
}

static bool
answer_reuse(struct arena *a, const struct refresh *r, struct buf *reply, struct err *err)
{
    struct str id;
    if (!find_used(a, r, &id, err) || !revoke_in(r->db, id, r->now_ms, err))
        return false;
    wire_add_u64(reply, REFRESH_REUSED);
    wire_add_str(reply, id);
    wire_add_u64(reply, 0);
    return true;
}

static bool
run_refresh(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    struct refresh r = {.db = db, .now_ms = clock_now_ms()};
    scoped_arena a = {0};
    r.shown_hash = wire_str(&w);
    r.new_hash = wire_str(&w);
    r.lifetime_ms = (int64_t)wire_u64(&w);
    if (!wire_end(&w, err))
        return false;
    int got = find_session(&a, &r, err);
    if (got < 0)
        return false;
    return got == 1 ? grant(&r, reply, err) : answer_reuse(&a, &r, reply, err);
}

static bool
run_revoke(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    struct str id = wire_str(&w);
    return wire_end(&w, err) && revoke_in(db, id, clock_now_ms(), err);
}

/* The new token is made here: the writer sees hashes alone. */
static bool
call_refresh(struct writer *w, struct str refresh_token, const struct session_grant *made,
             int64_t lifetime_ms, struct buf *reply, struct err *err)
{
    unsigned char shown[SHA256_BYTES], new[SHA256_BYTES];
    scoped_buf request;
    buf_init(&request, KIB);
    wire_add_str(&request, session_refresh_hash(refresh_token, shown));
    wire_add_str(&request, session_refresh_hash(str_from(made->refresh_token), new));
    wire_add_u64(&request, (uint64_t)lifetime_ms);
    return writer_call(w, "session_refresh", buf_str(&request), reply, err);
}

bool
session_refresh(struct writer *w, struct str refresh_token, int64_t lifetime_ms,
                struct session_grant *out, struct err *err)
{
    struct session_grant made;
    scoped_buf reply;
    buf_init(&reply, KIB);
    session_make_grant(&made);
    if (!call_refresh(w, refresh_token, &made, lifetime_ms, &reply, err))
        return false;
    struct wire fields = {.rest = buf_str(&reply)};
    uint64_t outcome = wire_u64(&fields);
    struct str id = wire_str(&fields);
    made.player_id = (int64_t)wire_u64(&fields);
    if (!wire_end(&fields, err))
        return false;
    if (outcome == REFRESH_REUSED)
        return err_set_code(err, ERR_UNAUTHORIZED, "refresh_reused",
                            "this refresh token was used before, so somebody has a copy: the "
                            "login has been ended; log in again");
    assert(id.n == TOKEN_SESSION_DIGITS);
    memcpy(made.id, id.p, id.n);
    *out = made;
    return true;
}

bool
session_revoke(struct writer *w, struct str id, struct err *err)
{
    scoped_buf request;
    buf_init(&request, KIB);
    wire_add_str(&request, id);
    return writer_call(w, "session_revoke", buf_str(&request), NULL, err);
}

const struct operation SESSION_OPERATIONS[] = {
    {"session_refresh", run_refresh, false},
    {"session_revoke", run_revoke, false},
    {0},
};
