/* The kernels that run on any CPU. */
#include "index/scan.h"
#include "index/scan_kernels.h"

#include <string.h>

static size_t
find(struct str haystack, size_t from, const struct scan_needle *needle)
{
    if (from >= haystack.n)
        return SIZE_MAX;
    const char *hit =
        memmem(haystack.p + from, haystack.n - from, needle->bytes.p, needle->bytes.n);
    return hit ? (size_t)(hit - haystack.p) : SIZE_MAX;
}

static void
int_range(const int64_t *values, const uint64_t *nulls, uint64_t count, int64_t lo, int64_t hi,
          uint64_t *words)
{
    for (uint64_t row = 0; row < count; row += 64) {
        uint64_t word = 0, here = MIN(count - row, 64);
        for (uint64_t i = 0; i < here; i++)
            word |= (uint64_t)(values[row + i] >= lo && values[row + i] <= hi) << i;
        words[row / 64] |= nulls ? word & ~nulls[row / 64] : word;
    }
}

static void
real_range(const double *values, const uint64_t *nulls, uint64_t count, double lo, double hi,
           uint64_t *words)
{
    for (uint64_t row = 0; row < count; row += 64) {
        uint64_t word = 0, here = MIN(count - row, 64);
        for (uint64_t i = 0; i < here; i++)
            word |= (uint64_t)(values[row + i] >= lo && values[row + i] <= hi) << i;
        words[row / 64] |= nulls ? word & ~nulls[row / 64] : word;
    }
}

static void
triples(const struct scan_triples *t, const uint8_t *text, size_t n, uint64_t *words)
{
    for (size_t at = 0; at < n; at += 64) {
        uint64_t word = 0;
        for (size_t i = 0; i < 64; i++) {
            const uint8_t *p = text + at + i;
            uint8_t groups = t->may_be[0][p[0]] & t->may_be[1][p[1]] & t->may_be[2][p[2]];
            word |= (uint64_t)(groups != 0) << i;
        }
        words[at / 64] |= word;
    }
}

const struct scan_kernels SCAN_PORTABLE = {find, int_range, real_range, triples};
