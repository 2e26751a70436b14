/* Unsigned bytes are never a token.  With a signature of ours over any header and payload, what
 * is taken keeps what token.h promises, and is what token_make says again. */
#include "fuzz.h"

#include "http/status.h"
#include "players/token.h"

#include <sodium.h>
#include <string.h>

#define NOW_S INT64_C(1770000000)
#define ISSUER STR("playmeter")
#define ENCODING sodium_base64_VARIANT_URLSAFE_NO_PADDING

static const struct token_secrets SECRETS = {STR_INIT("a secret of thirty-two bytes...."),
                                             {"", 0}};

enum { UNSIGNED, SIGNED_PAYLOAD, SIGNED_MEMBERS, SIGNED_HEADER_AND_PAYLOAD, KINDS };
/* Good as it is, once it is closed; members may follow. */
#define GOOD                                                                                   \
    "{\"iss\":\"playmeter\",\"sub\":\"7\",\"iat\":1770000000,\"exp\":1770003600,"              \
    "\"jti\":\"0123456789abcdef0123456789abcdef\""

static struct str
encode(struct arena *a, struct str s)
{
    size_t size = sodium_base64_encoded_len(s.n, ENCODING);
    char *text = arena_alloc(a, size);
    sodium_bin2base64(text, size, (const unsigned char *)s.p, s.n, ENCODING);
    return (struct str){text, size - 1};
}

static struct str
sign(struct arena *a, struct str header, struct str payload)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state hmac;
    struct str text = arena_printf(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(encode(a, header)),
                                   STR_ARG(encode(a, payload)));
    crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)SECRETS.current.p,
                                SECRETS.current.n);
    crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)text.p, text.n);
    crypto_auth_hmacsha256_final(&hmac, mac);
    struct str signature = {(const char *)mac, sizeof(mac)};
    return arena_printf(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(text),
                        STR_ARG(encode(a, signature)));
}

static void
check_claims(struct arena *a, const struct token_claims *claims)
{
    struct err err = {0};
    struct token_claims again;
    assert(claims->player_id > 0);
    assert(strspn(claims->session_id, "0123456789abcdef") == TOKEN_SESSION_DIGITS);
    assert(claims->issued_at_s >= 0 && claims->issued_at_s <= NOW_S + TOKEN_SKEW_S);
    assert(claims->expires_at_s + TOKEN_SKEW_S > NOW_S);
    bool is_taken = token_check(a, &SECRETS, ISSUER, token_make(a, &SECRETS, ISSUER, claims),
                                NOW_S, &again, &err);
    assert(is_taken);
    assert(again.player_id == claims->player_id);
    assert(again.issued_at_s == claims->issued_at_s);
    assert(again.expires_at_s == claims->expires_at_s);
    assert(strcmp(again.session_id, claims->session_id) == 0);
}

static struct str
make_text(struct arena *a, uint8_t kind, struct str rest)
{
    static const struct str HEADER = STR_INIT("{\"alg\":\"HS256\"}");
    if (kind == UNSIGNED)
        return rest;
    if (kind == SIGNED_PAYLOAD)
        return sign(a, HEADER, rest);
    if (kind == SIGNED_MEMBERS)
        return sign(a, HEADER, arena_printf(a, GOOD "%" STR_FMT "}", STR_ARG(rest)));
    struct str header = str_cut(&rest, '\n');
    return sign(a, header, rest);
}

/* The first byte says what the rest is. */
static void
fuzz(struct arena *a, struct str input)
{
    struct err err = {0};
    struct token_claims claims;
    if (input.n == 0)
        return;
    uint8_t kind = (uint8_t)input.p[0] % KINDS;
    struct str token = make_text(a, kind, str_skip(input, 1));
    bool is_taken = token_check(a, &SECRETS, ISSUER, token, NOW_S, &claims, &err);
    assert(!is_taken || kind != UNSIGNED);
    assert(is_taken || (http_status(&err) == 401 && err.detail[0]));
    if (is_taken)
        check_claims(a, &claims);
}
