/* hash_bytes folds 16 bytes per step with a 64x64 -> 128 bit multiplication, the construction
 * of wyhash. */
#include "base/hash.h"

#include <string.h>

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
