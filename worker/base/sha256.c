#include "base/sha256.h"

#include <openssl/evp.h>
#include <pthread.h>

static const EVP_MD *algorithm;

static void
fetch_algorithm(void)
{
    algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* Fetched once: OpenSSL 3 looks for EVP_sha256() anew at each use, which takes longer than the
 * digest of a short text. */
static const EVP_MD *
sha256(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fetch_algorithm);
    assert(algorithm);
    return algorithm;
}

static void
add_hex(const unsigned char digest[SHA256_BYTES], char hex[SHA256_HEX_BYTES + 1])
{
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[SHA256_HEX_BYTES] = '\0';
}

void
sha256_init(struct sha256 *h)
{
    h->state = EVP_MD_CTX_new();
    int ok = h->state && EVP_DigestInit_ex(h->state, sha256(), NULL);
    assert(ok);
}

void
sha256_add(struct sha256 *h, struct str s)
{
    int ok = EVP_DigestUpdate(h->state, s.p, s.n);
    assert(ok);
}

void
sha256_finish_hex(struct sha256 *h, char hex[SHA256_HEX_BYTES + 1])
{
    unsigned char digest[SHA256_BYTES];
    int ok = EVP_DigestFinal_ex(h->state, digest, NULL);
    assert(ok);
    EVP_MD_CTX_free(h->state);
    h->state = NULL;
    add_hex(digest, hex);
}

void
sha256_of(struct str s, unsigned char out[SHA256_BYTES])
{
    int ok = EVP_Digest(s.p, s.n, out, NULL, sha256(), NULL);
    assert(ok);
}

void
sha256_hex(struct str s, char hex[SHA256_HEX_BYTES + 1])
{
    unsigned char digest[SHA256_BYTES];
    sha256_of(s, digest);
    add_hex(digest, hex);
}
