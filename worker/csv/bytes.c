/* See bytes.h.  Cells are short (a number) or long (a text), so each kernel does whole blocks
 * first and the tail byte by byte; nothing is read beyond the end it was given.  The long
 * quoted cells are found by libc's memchr; what is left here is what memchr cannot do: several
 * stops at once, and counting. */
#include "csv/bytes.h"

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

/* The masks of 64 bytes; bit i is byte i. */
struct masks {
    uint64_t lf, cr, nul, high;
};

static struct masks
masks_of_64(const char *p)
{
    struct masks m = {0};
    for (unsigned i = 0; i < 64; i += 16) {
        __m128i block = load(p + i);
        m.lf |= (uint64_t)mask_of(block, '\n') << i;
        m.cr |= (uint64_t)mask_of(block, '\r') << i;
        m.nul |= (uint64_t)mask_of(block, '\0') << i;
        m.high |= (uint64_t)(unsigned)_mm_movemask_epi8(block) << i;
    }
    return m;
}

/* Surveys the whole blocks of `s`; `*ends_in_cr` tells the rest what went before it. */
static size_t
survey_blocks(struct bytes_survey *out, struct str s, bool *ends_in_cr)
{
    size_t i = 0;
    uint64_t nul = 0, high = 0;
    for (; i + 64 <= s.n; i += 64) {
        struct masks m = masks_of_64(s.p + i);
        nul |= m.nul;
        high |= m.high;
        if (!(m.lf | m.cr)) {
            *ends_in_cr = false;
            continue;
        }
        /* An LF right behind a CR was counted with it. */
        uint64_t second_halves = m.lf & (m.cr << 1 | *ends_in_cr);
        out->line_ends += (uint64_t)__builtin_popcountll(m.cr) +
                          (uint64_t)__builtin_popcountll(m.lf & ~second_halves);
        *ends_in_cr = m.cr >> 63;
    }
    out->has_nul = nul != 0;
    out->is_ascii = high == 0;
    return i;
}

#else

const char *
bytes_find_stop(const char *p, const char *end, char delimiter)
{
    while (p < end && *p != delimiter && !is_eol(*p))
        p++;
    return p;
}

static size_t
survey_blocks(struct bytes_survey *out, struct str s UNUSED, bool *ends_in_cr UNUSED)
{
    out->is_ascii = true;
    return 0;
}

#endif

const char *
bytes_find_eol(const char *p, const char *end)
{
    return bytes_find_stop(p, end, '\n');
}

struct bytes_survey
bytes_survey(struct str s)
{
    struct bytes_survey out = {0};
    bool after_cr = false;
    for (size_t i = survey_blocks(&out, s, &after_cr); i < s.n; i++) {
        char c = s.p[i];
        out.line_ends += c == '\r' || (c == '\n' && !after_cr);
        out.has_nul |= c == '\0';
        out.is_ascii &= (unsigned char)c < 0x80;
        after_cr = c == '\r';
    }
    return out;
}
