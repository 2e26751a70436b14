/* Sessions: one per login, until logout, expiry, theft or too many newer ones.  A session has
 * one refresh token at a time, 256 bits of which only the SHA-256 is stored.  Each refresh
 * replaces it; the first one is random, and each later one is
 *
 *     "pmr_" hex(HMAC-SHA256(secret that signs tokens, "refresh:" the token being refreshed))
 *
 * So a client that sends a token again within players.refresh_grace, because the response was
 * lost, gets the same successor although it was not stored.  A token that is sent again later
 * proves that somebody has a copy, and the session is revoked.  Access tokens (token.h) carry
 * the session's id and are valid as long as the session is. */
#pragma once

#include "base/sha256.h"
#include "players/token.h"
#include "writer/client.h"

/* Sessions per player: more than anybody has devices.  Without a limit, logging in again and
 * again would fill the disk. */
#define SESSION_PLAYER_MAX 32
/* Used refresh tokens kept per session: a month of hourly refreshes.  An older one is answered
 * refresh_invalid and does not revoke the session. */
#define SESSION_USED_MAX 1000
/* For this long after a login, the session replaces the password for irreversible actions. */
#define SESSION_RECENT_MS (5 * 60 * INT64_C(1000))
/* "pmr_" and 64 hex digits. */
#define SESSION_REFRESH_BYTES 68

struct session_grant {
    char id[TOKEN_SESSION_DIGITS + 1];
    char refresh_token[SESSION_REFRESH_BYTES + 1];
    int64_t player_id;
};
/* Makes a random id and the first refresh token; the operation that stores them fills
 * `player_id`. */
void session_make_grant(struct session_grant *out);
/* What is stored of a refresh token; the result points to `out`. */
struct str session_refresh_hash(struct str refresh_token, unsigned char out[SHA256_BYTES]);
/* Stores the session, inside the operation that logs in or registers.  Of the player's other
 * sessions, the SESSION_PLAYER_MAX - 1 last used are kept.  Also removes a few expired sessions
 * of any player. */
MUST_CHECK bool session_begin_in(struct db *db, int64_t player_id, struct str id,
                                 struct str refresh_hash, int64_t now_ms, int64_t lifetime_ms,
                                 struct err *err);
/* Ends the player's sessions other than `kept_id` ("": all of them). */
MUST_CHECK bool session_revoke_others_in(struct db *db, int64_t player_id, struct str kept_id,
                                         int64_t now_ms, struct err *err);

/* Is the session valid, and does its player exist?  One SELECT.  unauthorized, code
 * token_revoked. */
MUST_CHECK bool session_check(struct db *db, struct str id, int64_t player_id, int64_t now_ms,
                              struct err *err);
/* Did the login happen within SESSION_RECENT_MS?  Refreshes do not count. */
MUST_CHECK bool session_is_recent(struct db *db, struct str id, int64_t now_ms, bool *is_recent,
                                  struct err *err);
/* Replaces the refresh token.  A token that was replaced within players.refresh_grace gets the
 * same successor again, even if that was used meanwhile.  unauthorized: refresh_invalid,
 * refresh_expired, or refresh_reused, in which case the session is revoked (committed although
 * the call fails). */
MUST_CHECK bool session_refresh(struct writer *w, const struct config *config,
                                const struct token_secrets *secrets, struct str refresh_token,
                                struct session_grant *out, struct err *err);
/* Ends the session; one that has ended already is a success. */
MUST_CHECK bool session_revoke(struct writer *w, struct str id, struct err *err);

extern const struct operation SESSION_OPERATIONS[]; /* ends with a NULL name */
