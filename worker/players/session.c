/* A refresh is one operation of the writer, so when two requests send the same token at once,
 * one is first and the other counts as its repetition.
 *
 * A failed operation is rolled back, but a reuse must be stored.  So for the writer it is an
 * operation that succeeds, whose reply says what was found. */
#include "players/session.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/sha256.h"

#include <sodium.h>
#include <string.h>

#define REFRESH_PREFIX "pmr_"
/* Each login or refresh removes this many ended sessions and used refresh tokens: more than the
 * one row that it adds, and few enough not to be noticed. */
#define SWEPT_MAX 8

/* The possible successors of a refresh token: made with the current secret, and with the
 * previous one if there is one. */
enum successor { SUCCESSOR_NOW, SUCCESSOR_BEFORE, SUCCESSORS };
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

/* Used tokens before their sessions, to which they refer. */
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

bool
session_begin_in(struct db *db, int64_t player_id, struct str id, struct str refresh_hash,
                 int64_t now_ms, int64_t lifetime_ms, struct err *err)
{
    if (!sweep_ended(db, now_ms, err) || !trim(db, "session_trim_used", player_id, err) ||
        !trim(db, "session_trim", player_id, err))
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

bool
session_is_recent(struct db *db, struct str id, int64_t now_ms, bool *is_recent,
                  struct err *err)
{
    scoped_stmt s = db_stmt(db, "session_began");
    stmt_bind_str(s, 1, id);
    int got = stmt_step(s, err);
    int64_t age_ms = got == 1 ? now_ms - stmt_i64(s, 0) : SESSION_RECENT_MS;
    /* A login far in the future was made before the clock was put back; it does not count. */
    *is_recent = age_ms < SESSION_RECENT_MS && -age_ms < SESSION_RECENT_MS;
    return got >= 0;
}

static bool
revoke_in(struct db *db, struct str id, int64_t now_ms, struct err *err)
{
    scoped_stmt s = db_stmt(db, "session_revoke");
    stmt_bind_str(s, 1, id);
    stmt_bind_i64(s, 2, now_ms);
    return stmt_run(s, err);
}

/* What a refresh is asked for, found, and gives. */
struct refresh {
    struct db *db;
    struct str shown_hash;
    struct str new_hashes[SUCCESSORS]; /* "" for none */
    int64_t now_ms, lifetime_ms, grace_ms;
    enum refresh_outcome outcome;
    enum successor successor; /* of the shown token */
    /* Of the session that the shown token belongs to. */
    struct str id;
    int64_t player_id, expires_at, revoked_at;
    int64_t used_at; /* when the token was used before */
};

static void
read_session(struct arena *a, struct stmt *s, struct refresh *r)
{
    r->id = arena_str(a, stmt_str(s, 0));
    r->player_id = stmt_i64(s, 1);
    r->expires_at = stmt_i64(s, 2);
    r->revoked_at = stmt_i64(s, 3);
}

static bool
check_is_good(const struct refresh *r, struct err *err)
{
    if (r->revoked_at)
        return err_set_code(err, ERR_UNAUTHORIZED, "refresh_invalid",
                            "the login that this refresh token belongs to has ended");
    return r->expires_at > r->now_ms ||
           err_set_code(err, ERR_UNAUTHORIZED, "refresh_expired",
                        "the refresh token has expired; log in again");
}

static bool
grant(struct refresh *r, struct err *err)
{
    r->outcome = REFRESH_GRANTED;
    r->successor = SUCCESSOR_NOW;
    scoped_stmt keep = db_stmt(r->db, "session_keep_used");
    stmt_bind_blob(keep, 1, r->shown_hash);
    stmt_bind_str(keep, 2, r->id);
    stmt_bind_i64(keep, 3, r->now_ms);
    stmt_bind_i64(keep, 4, r->expires_at);
    scoped_stmt trimming = db_stmt(r->db, "session_trim_used_of");
    stmt_bind_str(trimming, 1, r->id);
    stmt_bind_i64(trimming, 2, SESSION_USED_MAX);
    scoped_stmt rotate = db_stmt(r->db, "session_rotate");
    stmt_bind_str(rotate, 1, r->id);
    stmt_bind_blob(rotate, 2, r->new_hashes[SUCCESSOR_NOW]);
    stmt_bind_i64(rotate, 3, r->now_ms);
    stmt_bind_i64(rotate, 4, r->now_ms + r->lifetime_ms);
    return check_is_good(r, err) && stmt_run(keep, err) && stmt_run(trimming, err) &&
           stmt_run(rotate, err) && sweep_ended(r->db, r->now_ms, err);
}

static bool
find_used(struct arena *a, struct refresh *r, struct err *err)
{
    scoped_stmt s = db_stmt(r->db, "session_of_used_refresh");
    stmt_bind_blob(s, 1, r->shown_hash);
    int got = stmt_step(s, err);
    if (got == 0)
        err_set_code(err, ERR_UNAUTHORIZED, "refresh_invalid",
                     "this is no refresh token, or its login ended long ago");
    if (got != 1)
        return false;
    read_session(a, s, r);
    r->used_at = stmt_i64(s, 4);
    return true;
}

/* Sent again by a client that did not get the response, or by two clients at once: gives the
 * same successor. */
static bool
grant_again(struct refresh *r, struct err *err)
{
    if (!check_is_good(r, err))
        return false;
    for (int i = 0; i < SUCCESSORS; i++) {
        if (r->new_hashes[i].n == 0)
            continue;
        scoped_stmt s = db_stmt(r->db, "session_had_refresh");
        stmt_bind_str(s, 1, r->id);
        stmt_bind_blob(s, 2, r->new_hashes[i]);
        int got = stmt_step(s, err);
        if (got < 0)
            return false;
        if (got == 1) {
            r->outcome = REFRESH_GRANTED;
            r->successor = (enum successor)i;
            return true;
        }
    }
    /* This is not a sign of theft, so the session continues. */
    return err_set_code(err, ERR_UNAUTHORIZED, "refresh_invalid",
                        "the secret that this refresh token was used under is gone; log in "
                        "again");
}

static bool
run_refresh(struct arena *a, struct db *db, const void *asked, void *reply, struct err *err)
{
    struct refresh *r = reply;
    *r = *(const struct refresh *)asked;
    r->db = db;
    r->now_ms = clock_now_ms();
    scoped_stmt s = db_stmt(db, "session_of_refresh");
    stmt_bind_blob(s, 1, r->shown_hash);
    int got = stmt_step(s, err);
    if (got < 0)
        return false;
    if (got == 1) {
        read_session(a, s, r);
        return grant(r, err);
    }
    if (!find_used(a, r, err))
        return false;
    /* Also within the grace when the clock was put back a little since. */
    int64_t ago_ms = r->now_ms - r->used_at;
    if (ago_ms < r->grace_ms && -ago_ms < r->grace_ms)
        return grant_again(r, err);
    r->outcome = REFRESH_REUSED;
    return revoke_in(db, r->id, r->now_ms, err);
}

static bool
run_revoke(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
           struct err *err)
{
    const struct refresh *ended = argument;
    return revoke_in(db, ended->id, clock_now_ms(), err);
}

#define MEMBER(name) CODEC_FIELD(struct refresh, name)
static const struct codec ASKED =
    CODEC(struct refresh, MEMBER(shown_hash), MEMBER(new_hashes[SUCCESSOR_NOW]),
          MEMBER(new_hashes[SUCCESSOR_BEFORE]), MEMBER(lifetime_ms), MEMBER(grace_ms));
static const struct codec FOUND =
    CODEC(struct refresh, MEMBER(outcome), MEMBER(successor), MEMBER(id), MEMBER(player_id));
static const struct codec ID = CODEC(struct refresh, MEMBER(id));

enum { REFRESH, REVOKE, OPERATIONS };
const struct operation SESSION_OPERATIONS[OPERATIONS + 1] = {
    [REFRESH] = {.name = "session_refresh",
                 .argument = &ASKED,
                 .reply = &FOUND,
                 .run = run_refresh},
    [REVOKE] = {.name = "session_revoke", .argument = &ID, .run = run_revoke},
};

/* ---- the calls ---- */

/* The prefix keeps it apart from what a token's signature is made of, which has no ':'. */
static void
make_successor(struct str secret, struct str refresh_token, char out[SESSION_REFRESH_BYTES + 1])
{
    static const struct str PREFIX = STR_INIT("refresh:");
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)secret.p, secret.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)PREFIX.p, PREFIX.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)refresh_token.p,
                                  refresh_token.n);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state));
    memcpy(out, REFRESH_PREFIX, strlen(REFRESH_PREFIX));
    sodium_bin2hex(out + strlen(REFRESH_PREFIX), 2 * sizeof(mac) + 1, mac, sizeof(mac));
}

/* The new tokens are made here, in the worker: the writer sees only hashes. */
bool
session_refresh(struct writer *w, const struct config *config,
                const struct token_secrets *secrets, struct str refresh_token,
                struct session_grant *out, struct err *err)
{
    char successors[SUCCESSORS][SESSION_REFRESH_BYTES + 1] = {0};
    unsigned char shown[SHA256_BYTES], hashes[SUCCESSORS][SHA256_BYTES];
    make_successor(secrets->current, refresh_token, successors[SUCCESSOR_NOW]);
    if (secrets->previous.n)
        make_successor(secrets->previous, refresh_token, successors[SUCCESSOR_BEFORE]);
    struct refresh found, asked = {.shown_hash = session_refresh_hash(refresh_token, shown),
                                   .lifetime_ms = (int64_t)config->players_refresh_lifetime,
                                   .grace_ms = (int64_t)config->players_refresh_grace};
    for (int i = 0; i < SUCCESSORS; i++)
        if (successors[i][0])
            asked.new_hashes[i] = session_refresh_hash(str_from(successors[i]), hashes[i]);
    if (!writer_call(w, &SESSION_OPERATIONS[REFRESH], &asked, &found, err))
        return false;
    if (found.outcome == REFRESH_REUSED)
        return err_set_code(err, ERR_UNAUTHORIZED, "refresh_reused",
                            "this refresh token was used before, so somebody has a copy: the "
                            "login has been ended; log in again");
    assert(found.id.n == TOKEN_SESSION_DIGITS && found.successor < SUCCESSORS);
    *out = (struct session_grant){.player_id = found.player_id};
    memcpy(out->id, found.id.p, found.id.n);
    memcpy(out->refresh_token, successors[found.successor], sizeof(out->refresh_token));
    return true;
}

bool
session_revoke(struct writer *w, struct str id, struct err *err)
{
    return writer_call(w, &SESSION_OPERATIONS[REVOKE], &(struct refresh){.id = id}, NULL, err);
}
