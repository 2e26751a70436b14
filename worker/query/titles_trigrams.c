#include "query/titles_trigrams.h"

static inline bool
is_word_byte(char c)
{
    static const bool IS_WORD[256] = {
        ['a' ... 'z'] = true, ['0' ... '9'] = true, [0x80 ... 0xff] = true};
    return IS_WORD[(unsigned char)c];
}

static inline size_t
slot_of(uint32_t trigram)
{
    return trigram * UINT32_C(2654435761) >> (32 - TITLES_SLOT_BITS);
}

/* Index + 1 of a trigram of the query, 0 when it has none such. */
static inline size_t
find_trigram(const struct titles_trigrams *p, uint32_t trigram)
{
    size_t slot = slot_of(trigram);
    while (p->slots[slot] && p->trigrams[p->slots[slot] - 1] != trigram)
        slot = (slot + 1) % COUNT_OF(p->slots);
    return p->slots[slot];
}

static void
add_trigram(struct titles_trigrams *p, uint32_t trigram)
{
    if (find_trigram(p, trigram))
        return;
    size_t slot = slot_of(trigram);
    while (p->slots[slot])
        slot = (slot + 1) % COUNT_OF(p->slots);
    p->trigrams[p->count++] = trigram;
    p->slots[slot] = (uint16_t)p->count;
}

/* Walks the trigrams of a text: the last three bytes, with words parted by blanks. */
struct trigram_walk {
    const char *p, *end;
    uint32_t window;
    bool is_in_word;
};

static inline struct trigram_walk
walk_of(struct str text)
{
    return (struct trigram_walk){.p = text.p, .end = text.n ? text.p + text.n : text.p};
}

static inline bool
next_trigram(struct trigram_walk *w, uint32_t *trigram)
{
    if (!w->is_in_word) {
        while (w->p < w->end && !is_word_byte(*w->p))
            w->p++;
        if (w->p == w->end)
            return false;
        w->window = ' ' << 8 | ' ';
    }
    w->is_in_word = w->p < w->end && is_word_byte(*w->p);
    uint32_t c = w->is_in_word ? (unsigned char)*w->p++ : ' ';
    w->window = (w->window << 8 | c) & 0xffffff;
    *trigram = w->window;
    return true;
}

struct titles_trigrams *
titles_trigrams_of(struct arena *a, struct str query)
{
    struct titles_trigrams *p = arena_new(a, struct titles_trigrams);
    struct trigram_walk walk = walk_of(query);
    for (uint32_t trigram; next_trigram(&walk, &trigram);) {
        add_trigram(p, trigram);
        p->word_count += !walk.is_in_word;
    }
    return p;
}

static double
similarity(const struct titles_trigrams *query, struct str text)
{
    struct trigram_walk walk = walk_of(text);
    uint64_t seen[TITLES_TRIGRAMS_MAX / 64 + 1] = {0};
    size_t total = 0, common = 0, found;
    /* Beyond that it is below the lesser minimum, whatever they have in common. */
    size_t total_max = (size_t)((double)query->count / TITLES_PIECES_MIN) + 1;
    for (uint32_t trigram; total <= total_max && next_trigram(&walk, &trigram); total++) {
        if (!(found = find_trigram(query, trigram)))
            continue;
        uint64_t bit = UINT64_C(1) << found % 64;
        common += !(seen[found / 64] & bit);
        seen[found / 64] |= bit;
    }
    return common ? (double)common / (double)(query->count + total - common) : 0;
}

static struct str
skip_blanks(struct str text)
{
    size_t at = 0;
    while (at < text.n && !is_word_byte(text.p[at]))
        at++;
    return str_skip(text, at);
}

/* To the next word. */
static struct str
skip_word(struct str text)
{
    size_t at = 0;
    while (at < text.n && is_word_byte(text.p[at]))
        at++;
    return skip_blanks(str_skip(text, at));
}

/* Of the stretches of as many words, when the text has more. */
static double
similarity_of_stretch(const struct titles_trigrams *query, struct str text)
{
    double best = 0;
    text = skip_blanks(text);
    struct str end = text;
    for (size_t i = 0; i < query->word_count; i++)
        end = skip_word(end);
    for (bool has_more = end.n > 0; has_more; text = skip_word(text), end = skip_word(end)) {
        double score = similarity(query, str_slice(text, 0, text.n - end.n));
        best = MAX(best, score);
        has_more = end.n > 0;
    }
    return best;
}

double
titles_trigrams_score(const struct titles_trigrams *query, struct str title)
{
    double whole = similarity(query, title);
    double part = title.n <= TITLES_STRETCH_BYTES_MAX ? similarity_of_stretch(query, title) : 0;
    whole = whole >= TITLES_PIECES_MIN ? whole : 0;
    return part >= TITLES_STRETCH_MIN ? MAX(whole, part) : whole;
}
