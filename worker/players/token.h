/* Access tokens: JWT (RFC 7519) in JWS compact form (RFC 7515), HS256 and nothing else.
 *
 *     header   {"alg":"HS256","typ":"JWT"}
 *     payload  {"iss": TEXT, "sub": "player id", "iat": N, "exp": N, "jti": "session id"}
 *
 * Refused, each for the same 401 with a sentence that says no more than the client may know:
 * what jws_open refuses, a payload that is not strict JSON or has a member twice, times that
 * are not whole seconds up to 2^53, a token that expired or is from the future (iat, and nbf
 * where it comes) by more than TOKEN_SKEW_S, another issuer, any aud, a sub or jti that we do
 * not write.  The signature is checked before the payload is read.
 *
 * To change the secret while tokens live takes three reloads: the new one as previous, so that
 * every worker knows it; new and old in their places; and after a token's lifetime the new one
 * alone.  With the second alone, a worker that is being replaced may still meet a token of the
 * new secret, and refuse it. */
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
    struct str previous; /* "" for none; signs nothing any more */
};
/* By the settings players.secret_file and previous_secret_file, else the environment, else
 * DATA/jwt.secret (with no data directory, to check a configuration, current may stay "").
 * Files may end in a newline.  Refuses secrets that are too short. */
MUST_CHECK bool token_read_secrets(struct arena *a, const struct config *config,
                                   struct token_secrets *out, struct err *err);
/* Makes DATA/jwt.secret (0600) where no other secret is given and none is there.  Before the
 * workers start. */
MUST_CHECK bool token_make_secret(const struct config *config, struct err *err);

struct token_claims {
    int64_t player_id;
    char session_id[TOKEN_SESSION_DIGITS + 1];
    int64_t issued_at_s, expires_at_s;
};
/* The token, in the arena. */
struct str token_make(struct arena *a, const struct token_secrets *secrets, struct str issuer,
                      const struct token_claims *claims);
/* Errors: unauthorized with code token_invalid or token_expired. */
MUST_CHECK bool token_check(struct arena *a, const struct token_secrets *secrets,
                            struct str issuer, struct str token, int64_t now_s,
                            struct token_claims *out, struct err *err);
