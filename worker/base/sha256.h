/* SHA-256 (FIPS 180-4), for digests that other programs compare; computed by libcrypto, which
 * uses the CPU's instructions for it. */
#pragma once

#include "base/str.h"

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 64

struct sha256 {
    void *state;
};
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, struct str s);
/* Writes 64 lower-case hex digits and a NUL, and frees the state. */
void sha256_finish_hex(struct sha256 *h, char hex[SHA256_HEX_BYTES + 1]);
/* The digest of a text that is in memory as a whole. */
void sha256_of(struct str s, unsigned char out[SHA256_BYTES]);
/* The same as lower-case hex digits and a NUL. */
void sha256_hex(struct str s, char hex[SHA256_HEX_BYTES + 1]);
