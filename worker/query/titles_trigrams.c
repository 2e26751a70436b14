/* All titles pass titles_trigrams_sift, so it is what a search costs. There
 * a trigram is told by a scan that knows groups of them, with a bit for each byte where one may
 * begin: no branch depends on where words end, which is hard to foresee. */
#include "query/titles_trigrams.h"

#include "index/scan.h"
#include "query/titles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A word has one more than bytes, and a byte at least parts it from the next; folding makes
 * three bytes of two at most. */
#define PIECES_MAX (3 * TITLES_QUERY_BYTES_MAX / 2 + 1)
#define SLOT_BITS 11
/* With more in a group it finds too much else, and what is found is looked at again. */
#define PIECES_PER_SCAN (4 * (SCAN_TRIPLE_GROUPS - 1))
#define SCANS_MAX (PIECES_MAX / PIECES_PER_SCAN + 1)

struct titles_trigrams {
    uint32_t trigrams[PIECES_MAX]; /* distinct, three bytes each */
    size_t count;
    size_t word_count;
    uint16_t slots[1 << SLOT_BITS];       /* index + 1 by hash, 0 free */
    struct scan_triples scans[SCANS_MAX]; /* the trigrams, blanks as 0 */
    size_t scan_count;
};

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
    return trigram * UINT32_C(2654435761) >> (32 - SLOT_BITS);
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

static int
compare_trigrams(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void
add_to_scan(struct scan_triples *scan, uint32_t trigram, unsigned group)
{
    int bytes[3];
    for (int i = 0; i < 3; i++) {
        bytes[i] = trigram >> (16 - 8 * i) & 255;
        bytes[i] = bytes[i] == ' ' ? 0 : bytes[i];
    }
    /* The first of two blanks may be any byte: such trigrams have a group of their own. */
    if (bytes[1] == 0) {
        bytes[0] = SCAN_ANY_BYTE;
        group = 0;
    }
    scan_triples_add(scan, group, bytes);
}

/* Pieces that begin alike share a group. */
static void
make_scans(struct titles_trigrams *p)
{
    uint32_t sorted[PIECES_MAX];
    memcpy(sorted, p->trigrams, p->count * sizeof(*sorted));
    qsort(sorted, p->count, sizeof(*sorted), compare_trigrams);
    p->scan_count = p->count / PIECES_PER_SCAN + 1;
    size_t groups = p->scan_count * (SCAN_TRIPLE_GROUPS - 1);
    for (size_t i = 0; i < p->count; i++) {
        size_t group = i * groups / p->count;
        add_to_scan(&p->scans[group / (SCAN_TRIPLE_GROUPS - 1)], sorted[i],
                    1 + (unsigned)(group % (SCAN_TRIPLE_GROUPS - 1)));
    }
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
    make_scans(p);
    return p;
}

/* ---- exactly ---- */

static double
similarity(const struct titles_trigrams *query, struct str text)
{
    struct trigram_walk walk = walk_of(text);
    uint64_t seen[PIECES_MAX / 64 + 1] = {0};
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

/* ---- all titles ---- */

#define BATCH_BYTES 4096
#define LANES 64 /* a loop of so many is nothing but vectors */

/* Titles as they lie in the column, end to end. */
struct batch {
    uint8_t text[BATCH_BYTES + LANES + SCAN_TRIPLES_AHEAD]; /* blanks as 0 */
    uint64_t marks[BATCH_BYTES / 64]; /* where a trigram of the query may begin */
    size_t title_count;
    uint32_t ends[64];
};

static inline void
copy_lanes(uint8_t *restrict out, const char *restrict text)
{
    for (size_t i = 0; i < LANES; i++) {
        uint8_t c = (uint8_t)text[i], from_a = (uint8_t)(c - 'a'), from_0 = (uint8_t)(c - '0');
        out[i] = from_a < 26 || from_0 < 10 || c >= 0x80 ? c : 0;
    }
}

static void
take_titles(struct batch *b, const struct column *titles, uint64_t from)
{
    const uint64_t *offsets = titles->text.offsets + from;
    size_t count = 0, count_max = MIN(titles->row_count - from, COUNT_OF(b->ends));
    struct str text = str_skip(titles->text.bytes, offsets[0]);
    uint64_t bytes = 0, bytes_max = MIN(text.n, BATCH_BYTES);
    for (; count < count_max; count++) {
        uint64_t end = offsets[count + 1] - offsets[0];
        if (end > bytes_max || end < bytes) /* less only in a damaged file */
            break;
        b->ends[count] = (uint32_t)(bytes = end);
    }
    b->title_count = count;
    size_t at = 0;
    for (; at + LANES <= bytes; at += LANES)
        copy_lanes(b->text + at, text.p + at);
    char last[LANES] = {0};
    if (at < bytes)
        memcpy(last, text.p + at, bytes - at);
    copy_lanes(b->text + at, last);
    memset(b->text + at + LANES, 0, SCAN_TRIPLES_AHEAD);
}

/* Without an instruction for it, the library's way is a call and a table. */
static inline size_t
count_bits(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return v * UINT64_C(0x0101010101010101) >> 56;
}

static inline size_t
count_marks(const uint64_t *marks, size_t from, size_t to)
{
    size_t count = 0;
    for (; from < to; from += 64 - from % 64) {
        uint64_t here = marks[from / 64] >> from % 64;
        if (to - from < 64)
            here &= (UINT64_C(1) << (to - from)) - 1;
        count += count_bits(here);
    }
    return count;
}

static inline bool
may_be(const struct titles_trigrams *query, uint8_t x, uint8_t y, uint8_t z)
{
    unsigned found = 0;
    for (size_t i = 0; i < query->scan_count; i++) {
        const struct scan_triples *t = &query->scans[i];
        found |= t->may_be[0][x] & t->may_be[1][y] & t->may_be[2][z];
    }
    return found != 0;
}

/* No less than the trigrams that query and title have in common.  Those at the title's ends have
 * a blank where its neighbours stand. */
static inline size_t
common_at_most(const struct titles_trigrams *query, const struct batch *b, size_t from,
               size_t to)
{
    const uint8_t *text = b->text;
    if (from == to)
        return 0;
    size_t common = may_be(query, 0, 0, text[from]);
    if (to - from == 1)
        return common + may_be(query, 0, text[from], 0);
    return common + may_be(query, 0, text[from], text[from + 1]) +
           may_be(query, text[to - 2], text[to - 1], 0) + count_marks(b->marks, from, to - 2);
}

/* A trigram ends at each byte, but for blanks behind a blank, and behind the last word. */
static size_t
count_all(const uint8_t *text, size_t n)
{
    size_t total = text[0] != 0;
    for (size_t i = 1; i < n; i++)
        total += text[i] || text[i - 1];
    return total + (text[n - 1] != 0);
}

size_t
titles_trigrams_sift(const struct titles_trigrams *query, const struct column *titles,
                     uint64_t from, double score_min, uint64_t *out)
{
    struct batch b;
    take_titles(&b, titles, from);
    *out = 1;
    if (b.title_count == 0)
        return 1;
    size_t bytes = b.ends[b.title_count - 1];
    memset(b.marks, 0, sizeof(b.marks));
    for (size_t i = 0; i < query->scan_count; i++)
        scan_triples(&query->scans[i], b.text, bytes, b.marks);
    *out = 0;
    double trigrams = (double)query->count;
    size_t least = MAX((size_t)ceil(score_min * trigrams), 1);
    for (size_t i = 0, at = 0; i < b.title_count; at = b.ends[i++]) {
        size_t found = common_at_most(query, &b, at, b.ends[i]);
        if (found < least)
            continue;
        double common = (double)MIN(found, query->count), part = common / trigrams;
        double all = (double)count_all(b.text + at, b.ends[i] - at);
        bool is_worth = common / (trigrams + all - common) >= score_min ||
                        (part >= TITLES_STRETCH_MIN && part >= score_min);
        *out |= (uint64_t)is_worth << i;
    }
    return b.title_count;
}
