/* Each kernel handles whole blocks first and the rest byte by byte, because cells are short (a
 * number) or long (a text); nothing is read beyond the given end.  The end of a long quoted
 * cell is found by libc's memchr; here is what memchr cannot do: several stops at once, and
 * counting. */
#include "csv/bytes.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool
is_eol(char c)
{
    return c == '\n' || c == '\r';
}

#ifdef __SSE2__

static __m128i
load(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static unsigned
mask_of(__m128i block, char c)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, _mm_set1_epi8(c)));
}

const char *
bytes_find_stop(const char *p, const char *end, char delimiter)
{
    for (; end - p >= 16; p += 16) {
        __m128i block = load(p);
        unsigned stops =
            mask_of(block, delimiter) | mask_of(block, '\n') | mask_of(block, '\r');
        if (stops)
            return p + __builtin_ctz(stops);
    }
    while (p < end && *p != delimiter && !is_eol(*p))
        p++;
    return p;
}

/* Compares 64 bytes; bit i of the result is byte i. */
static uint64_t
mask_of_64(const char *p, char c)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 16)
        mask |= (uint64_t)mask_of(load(p + i), c) << i;
    return mask;
}

static void
count_line_ends(struct bytes_survey *out, const char *p, bool *ends_in_cr)
{
    uint64_t lf = mask_of_64(p, '\n'), cr = mask_of_64(p, '\r');
    /* An LF directly after a CR was counted with the CR. */
    uint64_t second_halves = lf & (cr << 1 | *ends_in_cr);
    out->line_ends += (uint64_t)__builtin_popcountll(cr) +
                      (uint64_t)__builtin_popcountll(lf & ~second_halves);
    *ends_in_cr = cr >> 63;
}

/* Line ends and NULs are rare, so a block is first tested for having any at all. */
static void
survey_64(struct bytes_survey *out, const char *p, bool *ends_in_cr)
{
    __m128i high = _mm_setzero_si128(), nul = high, eol = high;
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i block = load(p + i);
        high = _mm_or_si128(high, block);
        nul = _mm_or_si128(nul, _mm_cmpeq_epi8(block, _mm_setzero_si128()));
        eol = _mm_or_si128(eol, _mm_cmpeq_epi8(block, _mm_set1_epi8('\n')));
        eol = _mm_or_si128(eol, _mm_cmpeq_epi8(block, _mm_set1_epi8('\r')));
    }
    out->is_ascii &= _mm_movemask_epi8(high) == 0;
    out->has_nul |= _mm_movemask_epi8(nul) != 0;
    if (_mm_movemask_epi8(eol))
        count_line_ends(out, p, ends_in_cr);
    else
        *ends_in_cr = false;
}

struct bytes_survey
bytes_survey(struct str s)
{
    struct bytes_survey out = {.is_ascii = true};
    bool ends_in_cr = false;
    size_t i = 0;
    for (; i + 64 <= s.n; i += 64)
        survey_64(&out, s.p + i, &ends_in_cr);
    if (i < s.n) {
        /* The rest, padded to a block with blanks, which are not counted. */
        char last[64];
        memset(last, ' ', sizeof(last));
        memcpy(last, s.p + i, s.n - i);
        survey_64(&out, last, &ends_in_cr);
    }
    return out;
}

#else

const char *
bytes_find_stop(const char *p, const char *end, char delimiter)
{
    while (p < end && *p != delimiter && !is_eol(*p))
        p++;
    return p;
}

struct bytes_survey
bytes_survey(struct str s)
{
    struct bytes_survey out = {.is_ascii = true};
    bool after_cr = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        out.line_ends += c == '\r' || (c == '\n' && !after_cr);
        out.has_nul |= c == '\0';
        out.is_ascii &= (unsigned char)c < 0x80;
        after_cr = c == '\r';
    }
    return out;
}

#endif

const char *
bytes_find_eol(const char *p, const char *end)
{
    return bytes_find_stop(p, end, '\n');
}
