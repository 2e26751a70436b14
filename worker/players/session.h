/* Sessions: one per login, from it until logout, expiry, theft or too many newer ones.  A
 * session has one refresh token at a time, 256 bits of which only the SHA-256 is kept.  Each
 * refresh replaces it, the first by
 *
 *     "pmr_" hex(HMAC-SHA256(secret that signs tokens, "refresh:" the token that is shown))
 *
 * so that who shows a token again within players.refresh_grace, because the answer was lost on
 * its way, gets the same successor although nobody kept it.  One that is shown later is proof
 * of a copy, and revokes the session.  Tokens (token.h) carry the session's id and are good
 * while it is. */
#pragma once

#include "base/sha256.h"
#include "players/token.h"
#include "writer/client.h"

/* Of one player: more than anybody has devices, or logging in without end would fill the disk.
 */
#define SESSION_PLAYER_MAX 32
/* Of one session: a month of hourly refreshes.  One that was used before those is
 * refresh_invalid and ends nothing. */
#define SESSION_USED_MAX 1000
/* So long a login stands for the password where something cannot be undone. */
#define SESSION_RECENT_MS (5 * 60 * INT64_C(1000))
/* "pmr_" and 64 hex digits. */
#define SESSION_REFRESH_BYTES 68

struct session_grant {
    char id[TOKEN_SESSION_DIGITS + 1];
    char refresh_token[SESSION_REFRESH_BYTES + 1];
    int64_t player_id;
};
/* Random id and first refresh token, for an operation that stores them.  `player_id` is filled
 * by it.
 */
void session_make_grant(struct session_grant *out);
/* What is stored of a refresh token; points to `out`. */
struct str session_refresh_hash(struct str refresh_token, unsigned char out[SHA256_BYTES]);
/* Stores the session, inside the operation that logs in or registers.  Beside it the player
 * keeps SESSION_PLAYER_MAX - 1, those that were used last; and a few that have expired, of
 * anybody, are removed. */
MUST_CHECK bool session_begin_in(struct db *db, int64_t player_id, struct str id,
                                 struct str refresh_hash, int64_t now_ms, int64_t lifetime_ms,
                                 struct err *err);
/* Ends those of the player that are not `kept_id` ("" ends all). */
MUST_CHECK bool session_revoke_others_in(struct db *db, int64_t player_id, struct str kept_id,
                                         int64_t now_ms, struct err *err);

/* Is the session good, and its player there?  One SELECT.  unauthorized, code token_revoked. */
MUST_CHECK bool session_check(struct db *db, struct str id, int64_t player_id, int64_t now_ms,
                              struct err *err);
/* Did it begin within SESSION_RECENT_MS, refreshes aside? */
MUST_CHECK bool session_is_recent(struct db *db, struct str id, int64_t now_ms, bool *is_recent,
                                  struct err *err);
/* Replaces the refresh token, or gives again what took its place within players.refresh_grace,
 * also when that was used meanwhile.  unauthorized: refresh_invalid, refresh_expired, or
 * refresh_reused after which the session is revoked (that is committed although the call
 * fails). */
MUST_CHECK bool session_refresh(struct writer *w, const struct config *config,
                                const struct token_secrets *secrets, struct str refresh_token,
                                struct session_grant *out, struct err *err);
MUST_CHECK bool session_revoke(struct writer *w, struct str id, struct err *err);

extern const struct operation SESSION_OPERATIONS[]; /* ends with a NULL name */
