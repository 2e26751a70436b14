/* Tokens as somebody else would make them: any header and payload, rightly signed. */
#pragma once

#include "base/arena.h"

#include <sodium.h>
#include <string.h>

static inline struct str
forge_encode(struct arena *a, const void *bytes, size_t n)
{
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = arena_alloc(a, size);
    sodium_bin2base64(text, size, bytes, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return (struct str){text, size - 1};
}

/* Whatever `text` is, with a right signature behind it. */
static inline struct str
forge_text(struct arena *a, struct str key, struct str text)
{
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, (const unsigned char *)key.p, key.n);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text.p, text.n);
    crypto_auth_hmacsha256_final(&state, mac);
    return arena_printf(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(text),
                        STR_ARG(forge_encode(a, mac, sizeof(mac))));
}

static inline struct str
forge(struct arena *a, struct str key, const char *header, const char *payload)
{
    return forge_text(a, key,
                      arena_printf(a, "%" STR_FMT ".%" STR_FMT,
                                   STR_ARG(forge_encode(a, header, strlen(header))),
                                   STR_ARG(forge_encode(a, payload, strlen(payload)))));
}
