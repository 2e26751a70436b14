/* One walk over the title's words decides everything.  Most titles that
 * contain a short word have it in the middle of another: may_begin sorts those out before. */
#include "query/titles_words.h"

#include "base/utf8.h"

enum { BLANK, WORD, BEYOND_ASCII };
static const uint8_t KINDS[256] = {
    ['0' ... '9'] = WORD, ['a' ... 'z'] = WORD, [0x80 ... 0xff] = BEYOND_ASCII};

/* From `at` on, behind all characters that are in a word, or behind all that are not; a byte
 * that begins no character is not. */
static inline size_t
skip_characters(struct str text, size_t at, bool are_in_word)
{
    uint8_t kind = are_in_word ? WORD : BLANK;
    for (;;) {
        while (at < text.n && KINDS[(unsigned char)text.p[at]] == kind)
            at++;
        if (at == text.n || KINDS[(unsigned char)text.p[at]] != BEYOND_ASCII)
            return at;
        size_t n = utf8_sequence(str_skip(text, at));
        if ((n && utf8_is_word(utf8_decode(text.p + at, n))) != are_in_word)
            return at;
        at += MAX(n, 1);
    }
}

/* The next word; empty at the end. */
static inline struct str
next_word(struct str *rest)
{
    size_t from = skip_characters(*rest, 0, false), to = skip_characters(*rest, from, true);
    struct str word = {rest->p + from, to - from};
    *rest = (struct str){rest->p + to, rest->n - to};
    return word;
}

void
titles_words_init(struct titles_words *w, struct str query)
{
    *w = (struct titles_words){0};
    for (struct str word; w->count < TITLES_WORDS_MAX && (word = next_word(&query)).n;) {
        w->words[w->count] = word;
        if (word.n > w->words[w->longest].n)
            w->longest = w->count;
        w->bytes += word.n;
        w->count++;
    }
}

/* False for nearly all titles that merely contain the word.  Without a branch, since where
 * words begin is hard to foresee. */
static bool
may_begin(struct str title, char first)
{
    bool may = title.n && title.p[0] == first;
    for (size_t i = 1; i < title.n; i++)
        may |= (title.p[i] == first) & (KINDS[(unsigned char)title.p[i - 1]] != WORD);
    return may;
}

double
titles_words_score(const struct titles_words *query, struct str title)
{
    /* Bit i stands for word i of the query: `found` anywhere, `running` as the last of the
     * words from the first on that stand side by side up to here. */
    uint64_t found = 0, running = 0, last = UINT64_C(1) << (query->count - 1) % 64;
    uint64_t all = last | (last - 1);
    bool is_in_order = false, is_begun = false;
    size_t bytes = 0;
    if (query->count == 0 || !may_begin(title, query->words[query->count - 1].p[0]))
        return 0;
    for (struct str word; (word = next_word(&title)).n;) {
        uint64_t here = 0;
        for (size_t i = 0; i < query->count; i++)
            if (word.n == query->words[i].n && str_eq(word, query->words[i]))
                here |= UINT64_C(1) << i;
        found |= here;
        running = (running << 1 | 1) & here;
        is_in_order |= (running & last) != 0;
        is_begun = is_begun || str_starts(word, query->words[query->count - 1]);
        bytes += word.n;
    }
    double share = query->bytes < bytes ? (double)query->bytes / (double)bytes : 1;
    if (found == all)
        return (is_in_order ? 0.9 : 0.8) + 0.1 * share;
    return (found | last) == all && is_begun ? TITLES_WORDS_MIN + 0.2 * share : 0;
}
