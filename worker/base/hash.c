/* See hash.h.  hash_bytes folds 16 bytes per step with a 64x64 -> 128 bit multiplication, the
 * construction that wyhash made known. */
#include "base/hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

/* Odd constants with balanced bits; any such would do. */
#define K0 UINT64_C(0x9e3779b97f4a7c15)
#define K1 UINT64_C(0xd6e8feb86659fd93)
#define K2 UINT64_C(0xa0761d6478bd642f)

static uint64_t
mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
read_u64(const char *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

uint64_t
hash_bytes(struct str s, uint64_t seed)
{
    uint64_t h = mix(seed ^ K0, s.n ^ K1);
    while (s.n > 16) {
        h = mix(read_u64(s.p, 8) ^ K2, read_u64(s.p + 8, 8) ^ h);
        s = str_skip(s, 16);
    }
    size_t low = MIN(s.n, 8);
    uint64_t a = low ? read_u64(s.p, low) : 0;
    uint64_t b = s.n > 8 ? read_u64(s.p + 8, s.n - 8) : 0;
    return mix(mix(a ^ K1, b ^ h), h ^ K0);
}

uint64_t
hash_u64(uint64_t v, uint64_t seed)
{
    return mix(mix(v ^ K1, seed ^ K0), v ^ K2);
}

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
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[SHA256_HEX_BYTES] = '\0';
}

void
sha256_of(struct str s, unsigned char out[SHA256_BYTES])
{
    int ok = EVP_Digest(s.p, s.n, out, NULL, sha256(), NULL);
    assert(ok);
}

void
random_bytes(void *out, size_t n)
{
    char *p = out;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        assert(got > 0 || errno == EINTR);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

void
random_hex(char *out, size_t digits)
{
    /* The bytes are drawn where their digits go. */
    random_bytes(out, digits);
    for (size_t i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[out[i] & 15];
    out[digits] = '\0';
}
