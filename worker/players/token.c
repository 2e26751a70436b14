/* What a token contains, and where the secrets come from; signing is in jws.c.
 *
 * Both are our own code on libsodium and json/read, because libraries were too lenient: libjwt
 * 1.10.2 (Debian 12), tried with the unit tests' vectors and tokens, accepts, when correctly
 * signed, a header with crit or b64, the algorithms HS384, HS512 and "hs256", a repeated
 * member (the last one counts), padding, and an array as payload; an exp that is text or a
 * fraction it reads as 0, and an expired one like any other.  Checking all of this again would
 * be as long as the code here. */
#include "players/token.h"

#include "base/fs.h"
#include "base/num.h"
#include "base/random.h"
#include "players/jws.h"
#include "json/read.h"
#include "json/write.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Hex digits of a generated secret of 256 random bits. */
#define MADE_SECRET_DIGITS 64
/* With a newline (LF or CRLF) at the end. */
#define SECRET_FILE_BYTES_MAX (TOKEN_SECRET_BYTES_MAX + 2)
/* Times up to this are exact in every client's numbers, and adding to them cannot overflow. */
#define TIME_MAX_S (INT64_C(1) << 53)

static bool
refuse_token(struct err *err, const char *why)
{
    return err_set_code(err, ERR_UNAUTHORIZED, "token_invalid", "%s", why);
}

/* `from` says where the secret is from, for messages, which never show the secret. */
static bool
check_secret(struct str secret, const char *from, struct err *err)
{
    if (secret.n >= TOKEN_SECRET_BYTES_MIN && secret.n <= TOKEN_SECRET_BYTES_MAX)
        return true;
    return err_set(err, ERR_INVALID,
                   "%s: a secret that signs tokens has %d to %d bytes, got %zu", from,
                   TOKEN_SECRET_BYTES_MIN, TOKEN_SECRET_BYTES_MAX, secret.n);
}

static bool
take_secret(struct arena *a, const char *path, const struct buf *text, struct str *out,
            struct err *err)
{
    struct str secret = buf_str(text);
    /* Without the newline that an editor or echo adds at the end. */
    secret.n -= str_ends(secret, STR("\n"));
    secret.n -= str_ends(secret, STR("\r"));
    *out = arena_str(a, secret);
    return check_secret(*out, path, err);
}

/* From the file that a setting names, else from the environment, else "". */
static bool
read_given(struct arena *a, const struct config *config, struct str file, const char *variable,
           struct str *out, struct err *err)
{
    const char *text = getenv(variable);
    *out = (struct str){"", 0};
    if (file.n) {
        const char *path = config_beside(a, config->path, file);
        scoped_buf secret;
        buf_init(&secret, SECRET_FILE_BYTES_MAX);
        return fs_read_named(&secret, path, err) && take_secret(a, path, &secret, out, err);
    }
    if (!text || !text[0])
        return true;
    *out = arena_str(a, str_from(text));
    return check_secret(*out, variable, err);
}

static const char *
made_path(struct arena *a, const struct config *config)
{
    return arena_printf(a, "%" STR_FMT "/" CONFIG_JWT_SECRET, STR_ARG(config->data_dir)).p;
}

static bool
read_made(struct arena *a, const struct config *config, struct str *out, struct err *err)
{
    const char *path = made_path(a, config);
    scoped_buf secret;
    buf_init(&secret, SECRET_FILE_BYTES_MAX);
    return fs_read_file(&secret, AT_FDCWD, path, err) &&
           take_secret(a, path, &secret, out, err);
}

bool
token_read_secrets(struct arena *a, const struct config *config, struct token_secrets *out,
                   struct err *err)
{
    struct token_secrets read;
    if (!read_given(a, config, config->players_secret_file, "PLAYMETER_JWT_SECRET",
                    &read.current, err) ||
        !read_given(a, config, config->players_previous_secret_file,
                    "PLAYMETER_JWT_SECRET_PREVIOUS", &read.previous, err) ||
        (!read.current.n && config->data_dir.n && !read_made(a, config, &read.current, err)))
        return false;
    *out = read;
    return true;
}

bool
token_make_secret(const struct config *config, struct err *err)
{
    scoped_arena a = {0};
    struct str given;
    char made[MADE_SECRET_DIGITS + 2];
    const char *path = made_path(&a, config);
    if (!read_given(&a, config, config->players_secret_file, "PLAYMETER_JWT_SECRET", &given,
                    err))
        return false;
    if (given.n || access(path, F_OK) == 0)
        return true;
    random_hex(made, MADE_SECRET_DIGITS);
    made[MADE_SECRET_DIGITS] = '\n';
    return fs_replace_file(AT_FDCWD, path, (struct str){made, sizeof(made) - 1}, 0600, err);
}

struct str
token_make(struct arena *a, const struct token_secrets *secrets, struct str issuer,
           const struct token_claims *claims)
{
    scoped_buf payload, token;
    buf_init(&payload, TOKEN_BYTES_MAX);
    buf_init(&token, TOKEN_BYTES_MAX);
    struct json j = json_write(&payload);
    json_begin_object(&j);
    json_member_str(&j, "iss", issuer);
    json_member_str(&j, "sub", arena_printf(a, "%" PRId64, claims->player_id));
    json_member_i64(&j, "iat", claims->issued_at_s);
    json_member_i64(&j, "exp", claims->expires_at_s);
    json_member_str(&j, "jti", str_from(claims->session_id));
    json_end_object(&j);
    jws_sign(&token, secrets->current, buf_str(&payload));
    /* An issuer has at most 64 bytes. */
    assert(!payload.is_full && !token.is_full);
    return arena_str(a, buf_str(&token));
}

/* 1 the member is there and a time, 0 it is absent, -1 it is something else. */
static int
read_time(const struct json_value *payload, const char *name, int64_t *out)
{
    const struct json_value *v = json_get(payload, name);
    if (!v)
        return 0;
    return json_as_i64(v, out) && *out >= 0 && *out <= TIME_MAX_S ? 1 : -1;
}

static bool
read_session(const struct json_value *payload, char out[TOKEN_SESSION_DIGITS + 1])
{
    struct str text;
    if (!json_as_str(json_get(payload, "jti"), &text) || text.n != TOKEN_SESSION_DIGITS ||
        !str_is_hex(text))
        return false;
    memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    return true;
}

/*          iat - SKEW                                 exp      exp + SKEW
 *   future |        good                                       | expired        */
static bool
check_times(const struct json_value *payload, int64_t now_s, struct token_claims *claims,
            struct err *err)
{
    int64_t not_before_s = 0;
    if (read_time(payload, "iat", &claims->issued_at_s) != 1 ||
        read_time(payload, "exp", &claims->expires_at_s) != 1 ||
        read_time(payload, "nbf", &not_before_s) < 0)
        return refuse_token(err, "the token's iat, exp or nbf is not a time in whole seconds");
    if (MAX(claims->issued_at_s, not_before_s) > now_s + TOKEN_SKEW_S)
        return refuse_token(err, "the token is from the future");
    if (claims->expires_at_s + TOKEN_SKEW_S <= now_s)
        return err_set_code(err, ERR_UNAUTHORIZED, "token_expired",
                            "the token has expired; POST /v1/refresh gives a new one");
    return true;
}

static bool
check_claims(const struct json_value *payload, struct str issuer, int64_t now_s,
             struct token_claims *claims, struct err *err)
{
    struct str text;
    if (payload->kind != JSON_OBJECT)
        return refuse_token(err, "the token's payload is no JSON object");
    if (!json_as_str(json_get(payload, "iss"), &text) || !str_eq(text, issuer))
        return refuse_token(err, "the token is of another issuer");
    /* A recipient that is not in aud must refuse the token (RFC 7519, 4.1.3). */
    if (json_get(payload, "aud"))
        return refuse_token(err, "the token is for another audience");
    /* Decimal digits exactly as printed, so that each player has one text. */
    if (!json_as_str(json_get(payload, "sub"), &text) || text.n == 0 || text.p[0] < '1' ||
        text.p[0] > '9' || !num_parse_i64(text, &claims->player_id) ||
        !read_session(payload, claims->session_id))
        return refuse_token(err, "the token's sub or jti names no player or session");
    return check_times(payload, now_s, claims, err);
}

bool
token_check(struct arena *a, const struct token_secrets *secrets, struct str issuer,
            struct str token, int64_t now_s, struct token_claims *out, struct err *err)
{
    const struct str keys[] = {secrets->current, secrets->previous};
    struct str payload;
    const struct json_value *value;
    struct token_claims claims = {0};
    struct err ignored = {0};
    if (token.n > TOKEN_BYTES_MAX)
        return err_set_code(err, ERR_UNAUTHORIZED, "token_invalid",
                            "a token has at most %d bytes, got %zu", TOKEN_BYTES_MAX, token.n);
    if (!jws_open(a, keys, COUNT_OF(keys), token, &payload, err))
        return false;
    if (!json_read(a, payload, &value, &ignored))
        return refuse_token(err, "the token's payload is no JSON object");
    if (!check_claims(value, issuer, now_s, &claims, err))
        return false;
    *out = claims;
    return true;
}
