/* HMAC, comparison and base64url are libsodium's, in a time that does not depend on the
 * contents of the text. */
#include "players/jws.h"

#include "json/read.h"

#include <sodium.h>

#define ENCODING sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define MAC_BYTES crypto_auth_hmacsha256_BYTES

static bool
refuse_jws(struct err *err, const char *why)
{
    return err_set_code(err, ERR_UNAUTHORIZED, "token_invalid", "%s", why);
}

static bool
refuse_form(struct err *err)
{
    return refuse_jws(err, "the token is not three parts of base64url between dots");
}

static void
add_encoded(struct buf *out, const void *bytes, size_t n)
{
    size_t size = sodium_base64_encoded_len(n, ENCODING); /* NUL included */
    char *to = buf_reserve(out, size);
    if (!to)
        return;
    sodium_bin2base64(to, size, bytes, n, ENCODING);
    out->n += size - 1;
}

/* Accepts only what encoding gives: libsodium 1.0.18 decodes bytes from 0x80 on as digits. */
static bool
decode(struct arena *a, struct str text, struct str *out)
{
    unsigned char *bytes = arena_alloc(a, text.n + 1); /* decoding never grows */
    char *again = arena_alloc(a, text.n + 1);
    size_t n;
    if (sodium_base642bin(bytes, text.n, text.p, text.n, NULL, &n, NULL, ENCODING) ||
        sodium_base64_encoded_len(n, ENCODING) != text.n + 1)
        return false;
    sodium_bin2base64(again, text.n + 1, bytes, n, ENCODING);
    *out = (struct str){(const char *)bytes, n};
    return sodium_memcmp(again, text.p, text.n) == 0;
}

static void
compute_mac(struct str key, struct str text, unsigned char mac[MAC_BYTES])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.p, text.n);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(&state, sizeof(state));
}

/* The header that jws_sign writes: {"alg":"HS256","typ":"JWT"} */
static const struct str OWN_HEADER = STR_INIT("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9");

void
jws_sign(struct buf *out, struct str key, struct str payload)
{
    unsigned char mac[MAC_BYTES];
    size_t begins = out->n;
    assert(key.n);
    buf_add(out, OWN_HEADER);
    buf_add_char(out, '.');
    add_encoded(out, payload.p, payload.n);
    compute_mac(key, str_skip(buf_str(out), begins), mac);
    buf_add_char(out, '.');
    add_encoded(out, mac, sizeof(mac));
}

static bool
is_string(const struct json_value *object, const char *name, struct str wanted)
{
    struct str text;
    return json_as_str(json_get(object, name), &text) && str_eq(text, wanted);
}

static bool
check_header(struct arena *a, struct str part, struct err *err)
{
    const struct json_value *header;
    struct str text;
    struct err ignored = {0};
    /* Nearly every token is one of ours, whose header need not be parsed each time. */
    if (str_eq(part, OWN_HEADER))
        return true;
    if (!decode(a, part, &text))
        return refuse_form(err);
    if (!json_read(a, text, &header, &ignored) || header->kind != JSON_OBJECT)
        return refuse_jws(err, "the token's header is no JSON object");
    if (!is_string(header, "alg", STR("HS256")))
        return refuse_jws(err, "the token's alg is not HS256, the only one taken");
    if (json_get(header, "typ") && !is_string(header, "typ", STR("JWT")))
        return refuse_jws(err, "the token's typ is not JWT");
    /* A member of crit, such as b64 (RFC 7797), demands features that this code lacks. */
    if (json_get(header, "crit") || json_get(header, "b64"))
        return refuse_jws(err, "the token's header has crit or b64, which are not taken");
    return true;
}

bool
jws_open(struct arena *a, const struct str *keys, size_t key_count, struct str text,
         struct str *payload, struct err *err)
{
    struct str rest = text, body, mac;
    struct str header_part = str_cut(&rest, '.'), body_part = str_cut(&rest, '.');
    struct str signed_part = str_slice(text, 0, header_part.n + 1 + body_part.n);
    /* A further dot in `rest` is refused by decode. */
    if (body_part.n == 0 || !decode(a, body_part, &body) || !decode(a, rest, &mac) ||
        mac.n != MAC_BYTES)
        return refuse_form(err);
    if (!check_header(a, header_part, err))
        return false;
    bool is_ours = false;
    for (size_t i = 0; i < key_count; i++) {
        unsigned char wanted[MAC_BYTES];
        if (keys[i].n == 0)
            continue;
        compute_mac(keys[i], signed_part, wanted);
        is_ours |= sodium_memcmp(wanted, mac.p, MAC_BYTES) == 0;
    }
    if (!is_ours)
        return refuse_jws(err, "the token's signature is not ours");
    *payload = body;
    return true;
}
