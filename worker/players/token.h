/* Access tokens: JWT (RFC 7519) in JWS compact form (RFC 7515), HS256 and nothing else.
 *
 *     header   {"alg":"HS256","typ":"JWT"}
 *     payload  {"iss": TEXT, "sub": "player id", "iat": N, "exp": N, "jti": "session id"}
 *
 * Refused, each with the same 401 and a sentence that says no more than the client may know:
 * what jws_open refuses; a payload that is not strict JSON or repeats a member; times that are
 * not whole seconds up to 2^53; a token that has expired, or is from the future (iat, and nbf
 * if present), by more than TOKEN_SKEW_S; another issuer; any aud; a sub or jti not of the
 * form that token_make writes.  The signature is checked before the payload is read.
 *
 * Changing the secret while tokens are in use takes three reloads: first the new secret as
 * previous, so that every worker accepts it; then the new one as current and the old one as
 * previous; after a token's lifetime the new one alone.  Without the first reload, a worker
 * that is being replaced may refuse a token signed with the new secret. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "config/config.h"

#define TOKEN_BYTES_MAX 1024
#define TOKEN_SKEW_S 30
#define TOKEN_SECRET_BYTES_MIN 32
#define TOKEN_SECRET_BYTES_MAX 1024
#define TOKEN_SESSION_DIGITS 32

struct token_secrets {
    struct str current;
    struct str previous; /* "" for none; accepted, but no longer used to sign */
};
/* From players.secret_file and previous_secret_file, else from the environment, else from
 * DATA/jwt.secret (without a data directory, when a configuration is checked, `current` may be
 * "").  A newline at the end of a file is dropped.  Refuses secrets that are too short. */
MUST_CHECK bool token_read_secrets(struct arena *a, const struct config *config,
                                   struct token_secrets *out, struct err *err);
/* Creates DATA/jwt.secret (0600) if it does not exist and no other secret is given.  Called
 * before the workers start. */
MUST_CHECK bool token_make_secret(const struct config *config, struct err *err);

struct token_claims {
    int64_t player_id;
    char session_id[TOKEN_SESSION_DIGITS + 1];
    int64_t issued_at_s, expires_at_s;
};
/* Makes a token, in the arena, signed with the current secret. */
struct str token_make(struct arena *a, const struct token_secrets *secrets, struct str issuer,
                      const struct token_claims *claims);
/* Errors: unauthorized with code token_invalid or token_expired. */
MUST_CHECK bool token_check(struct arena *a, const struct token_secrets *secrets,
                            struct str issuer, struct str token, int64_t now_s,
                            struct token_claims *out, struct err *err);
