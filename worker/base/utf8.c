/* The Unicode data is utf8proc's.  Every imported cell is folded, so the foldings of the Basic
 * Multilingual Plane are read into a table once, and runs of ASCII and of two-byte letters have
 * loops of their own (one core folds 11 and 1.1 GB/s of them, and 0.5 GB/s of longer
 * characters). */
#include "base/utf8.h"

#include <pthread.h>
#include <string.h>
#include <utf8proc.h>

static bool
is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t
utf8_sequence(struct str s)
{
    if (s.n == 0)
        return 0;
    unsigned char a = (unsigned char)s.p[0];
    if (a < 0x80)
        return 1;
    if (a < 0xc2 || a > 0xf4 || s.n < 2 || !is_continuation(s.p[1]))
        return 0;
    if (a < 0xe0)
        return 2;
    unsigned char b = (unsigned char)s.p[1];
    if (s.n < 3 || !is_continuation(s.p[2]))
        return 0;
    if (a < 0xf0) {
        bool is_overlong = a == 0xe0 && b < 0xa0;
        bool is_surrogate = a == 0xed && b > 0x9f;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    bool is_overlong = a == 0xf0 && b < 0x90;
    bool is_beyond = a == 0xf4 && b > 0x8f;
    return is_overlong || is_beyond || s.n < 4 || !is_continuation(s.p[3]) ? 0 : 4;
}

uint32_t
utf8_decode(const char *p, size_t n)
{
    static const unsigned char LEAD_BITS[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)p[0] & LEAD_BITS[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    return c;
}

size_t
utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char LEADS[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(LEADS[n] | c);
    return n;
}

/* 32 bytes at a time: most text has long runs of ASCII. */
static size_t
ascii_prefix(struct str s)
{
    size_t i = 0;
    for (; i + 32 <= s.n; i += 32) {
        uint64_t words[4];
        memcpy(words, s.p + i, sizeof(words));
        if ((words[0] | words[1] | words[2] | words[3]) & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < s.n && (unsigned char)s.p[i] < 0x80)
        i++;
    return i;
}

/* Bytes of the run of two-byte sequences at the front of `s`: Latin, Greek and Cyrillic letters
 * come in such runs. */
static size_t
pairs_prefix(struct str s)
{
    size_t i = 0;
    while (i + 2 <= s.n && (unsigned char)s.p[i] >= 0xc2 && (unsigned char)s.p[i] <= 0xdf &&
           is_continuation(s.p[i + 1]))
        i += 2;
    return i;
}

size_t
utf8_count_prefix(struct str s, uint64_t *sequences)
{
    size_t at = 0;
    while (at < s.n) {
        at += ascii_prefix((struct str){s.p + at, s.n - at});
        size_t pairs = pairs_prefix((struct str){s.p + at, s.n - at});
        at += pairs;
        *sequences += pairs / 2;
        size_t n = utf8_sequence((struct str){s.p + at, s.n - at});
        if (n == 0)
            break;
        *sequences += n > 1;
        at += n;
    }
    return at;
}

size_t
utf8_valid_prefix(struct str s)
{
    uint64_t unused = 0;
    return utf8_count_prefix(s, &unused);
}

bool
utf8_is_valid(struct str s)
{
    return utf8_valid_prefix(s) == s.n;
}

bool
utf8_is_word(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return true;
    default:
        return c == '_';
    }
}

bool
utf8_is_blank(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
        return true;
    default:
        return false;
    }
}

static uint32_t
fold_by_library(uint32_t c)
{
    /* U+0130 has only full and Turkic mappings, so simple folding leaves it alone. */
    if (c == 0x130)
        return c;
    utf8proc_int32_t folded[8];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, folded, COUNT_OF(folded),
                                                 UTF8PROC_CASEFOLD, &boundary);
    /* Where full case folding gives more than one code point, simple folding is the lower
     * case. */
    return n == 1 ? (uint32_t)folded[0] : (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
}

static uint16_t bmp_folds[0x10000];
static pthread_once_t bmp_once = PTHREAD_ONCE_INIT;

static void
fill_bmp(void)
{
    for (uint32_t c = 0; c < COUNT_OF(bmp_folds); c++)
        bmp_folds[c] = (uint16_t)fold_by_library(c);
}

uint32_t
utf8_fold_code_point(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    pthread_once(&bmp_once, fill_bmp);
    return c < COUNT_OF(bmp_folds) ? bmp_folds[c] : fold_by_library(c);
}

#define ONES UINT64_C(0x0101010101010101)
#define HIGH_BITS (ONES * 0x80)

/* Folds the ASCII that `s` begins with, eight bytes at a time; returns how many bytes. */
static size_t
fold_ascii(char *out, struct str s)
{
    size_t i = 0;
    for (; i + 8 <= s.n; i += 8) {
        uint64_t word;
        memcpy(&word, s.p + i, 8);
        if (word & HIGH_BITS)
            break;
        /* In each byte, the high bit of from_a says that it is at least 'A', that of beyond_z
         * that it is beyond 'Z'.  ASCII bytes never carry into the next byte. */
        uint64_t from_a = word + ONES * (0x80 - 'A');
        uint64_t beyond_z = word + ONES * (0x80 - 'Z' - 1);
        word |= (from_a & ~beyond_z & HIGH_BITS) >> 2;
        memcpy(out + i, &word, 8);
    }
    for (; i < s.n && (unsigned char)s.p[i] < 0x80; i++)
        out[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] + 32 : s.p[i]);
    return i;
}

/* Folds the run of two-byte sequences (Latin, Greek, Cyrillic) that `s` begins with, as long as
 * the folded ones have two bytes too. */
static size_t
fold_pairs(char *out, struct str s)
{
    size_t i = 0;
    for (; i + 2 <= s.n; i += 2) {
        unsigned char a = (unsigned char)s.p[i], b = (unsigned char)s.p[i + 1];
        if (a < 0xc2 || a > 0xdf || (b & 0xc0) != 0x80)
            break;
        uint32_t folded = bmp_folds[(a & 0x1fU) << 6 | (b & 0x3fU)];
        if (folded < 0x80 || folded > 0x7ff)
            break;
        out[i] = (char)(0xc0 | folded >> 6);
        out[i + 1] = (char)(0x80 | (folded & 0x3f));
    }
    return i;
}

size_t
utf8_fold_into(char *out, struct str s)
{
    char *start = out;
    pthread_once(&bmp_once, fill_bmp);
    while (s.n) {
        size_t n = fold_ascii(out, s);
        n += fold_pairs(out + n, str_skip(s, n));
        out += n;
        s = str_skip(s, n);
        while (s.n && (n = utf8_sequence(s)) != 1) {
            assert(n > 0);
            out += utf8_encode(utf8_fold_code_point(utf8_decode(s.p, n)), out);
            s = str_skip(s, n);
        }
    }
    return (size_t)(out - start);
}

struct str
utf8_folded(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n * 3 / 2 + 4);
    return (struct str){out, utf8_fold_into(out, s)};
}

void
utf8_fold(struct buf *out, struct str s)
{
    char chunk[96];
    while (s.n) {
        size_t n = MIN(s.n, 60);
        /* Cut between characters: at most three continuation bytes follow. */
        while (n < s.n && is_continuation(s.p[n]))
            n++;
        size_t folded = utf8_fold_into(chunk, str_slice(s, 0, n));
        buf_add(out, (struct str){chunk, folded});
        s = str_skip(s, n);
    }
}

void
utf8_upper(struct buf *out, struct str s)
{
    while (s.n) {
        size_t n = utf8_sequence(s);
        assert(n > 0);
        uint32_t c = utf8_decode(s.p, n);
        char text[4];
        s = str_skip(s, n);
        if (c == 0xdf) { /* utf8proc gives U+1E9E, which few fonts and files have */
            buf_add_lit(out, "SS");
            continue;
        }
        uint32_t upper = (uint32_t)utf8proc_toupper((utf8proc_int32_t)c);
        buf_add(out, (struct str){text, utf8_encode(upper, text)});
    }
}

/* The most code points that one can decompose into; Unicode's longest has 18. */
#define UNMARKED_MAX 32

/* Letters that Unicode does not decompose. */
static const struct {
    uint32_t letter;
    struct str plain;
} SPELT_OUT[] = {
    {0xdf, STR_INIT("ss")},  {0xc6, STR_INIT("AE")},   {0xe6, STR_INIT("ae")},
    {0xd8, STR_INIT("O")},   {0xf8, STR_INIT("o")},    {0xd0, STR_INIT("D")},
    {0xf0, STR_INIT("d")},   {0xde, STR_INIT("Th")},   {0xfe, STR_INIT("th")},
    {0x110, STR_INIT("D")},  {0x111, STR_INIT("d")},   {0x131, STR_INIT("i")},
    {0x141, STR_INIT("L")},  {0x142, STR_INIT("l")},   {0x152, STR_INIT("OE")},
    {0x153, STR_INIT("oe")}, {0x1e9e, STR_INIT("SS")},
};

static void
add_without_marks(struct buf *out, uint32_t code_point)
{
    for (size_t i = 0; i < COUNT_OF(SPELT_OUT); i++)
        if (SPELT_OUT[i].letter == code_point) {
            buf_add(out, SPELT_OUT[i].plain);
            return;
        }
    utf8proc_int32_t parts[UNMARKED_MAX];
    int boundary = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(
        (utf8proc_int32_t)code_point, parts, COUNT_OF(parts),
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK, &boundary);
    for (utf8proc_ssize_t i = 0; i < n && n <= (utf8proc_ssize_t)COUNT_OF(parts); i++) {
        char bytes[4];
        buf_add(out, (struct str){bytes, utf8_encode((uint32_t)parts[i], bytes)});
    }
}

struct str
utf8_without_marks(struct arena *a, struct str s)
{
    if (!utf8_is_valid(s))
        return s;
    scoped_buf out;
    buf_init(&out, s.n * UNMARKED_MAX * 2 + 4);
    while (s.n) {
        size_t n = utf8_sequence(s);
        add_without_marks(&out, utf8_decode(s.p, n));
        s = str_skip(s, n);
    }
    return arena_str(a, buf_str(&out));
}

bool
utf8_is_ascii(struct str s)
{
    uint64_t seen = 0, word;
    for (; s.n >= sizeof(word); s = str_skip(s, sizeof(word))) {
        memcpy(&word, s.p, sizeof(word));
        seen |= word;
    }
    for (size_t i = 0; i < s.n; i++)
        seen |= (uint64_t)(unsigned char)s.p[i];
    return !(seen & UINT64_C(0x8080808080808080));
}

uint64_t
utf8_folded_bytes_max(struct str s)
{
    return utf8_is_ascii(s) ? s.n : (uint64_t)s.n * 3 / 2 + 1;
}
