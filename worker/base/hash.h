/* Three kinds of digest: a fast one for tables and checksums in this process's own files,
 * SHA-256 for what others compare, and random bytes for names and keys. */
#pragma once

#include "base/buf.h"

/* 64 bits, well mixed, stable across processes and machines; not for untrusted adversaries, so
 * a table over user input mixes in a random seed. */
uint64_t hash_bytes(struct str s, uint64_t seed);
uint64_t hash_u64(uint64_t v, uint64_t seed);

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 64

/* Incremental SHA-256 (FIPS 180-4), by libcrypto for its use of the CPU's instructions. */
struct sha256 {
    void *state;
};
void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, struct str s);
/* Writes 64 lower-case hex digits and a NUL, and frees the state. */
void sha256_finish_hex(struct sha256 *h, char hex[SHA256_HEX_BYTES + 1]);
/* Of text that is at hand as a whole. */
void sha256_of(struct str s, unsigned char out[SHA256_BYTES]);

void random_bytes(void *out, size_t n);
/* `digits` lower-case hex digits and a NUL. */
void random_hex(char *out, size_t digits);
