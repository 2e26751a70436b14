/* All titles pass embedded_sift_titles, so it is what a search costs.  There a trigram is told
 * by a scan that knows groups of them, with a bit for each byte where one may begin: no branch
 * depends on where words end, which is hard to foresee. */
#include "embedded/sift.h"

#include "index/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* With more in a group it finds too much else, and what is found is looked at again. */
#define TRIGRAMS_PER_SCAN (4 * (SCAN_TRIPLE_GROUPS - 1))
#define SCANS_MAX (TITLES_TRIGRAMS_MAX / TRIGRAMS_PER_SCAN + 1)
#define BATCH_BYTES 4096
#define LANES 64 /* a loop of so many is nothing but vectors */

struct embedded_sift {
    const struct titles_trigrams *query;
    struct scan_triples scans[SCANS_MAX]; /* the trigrams, blanks as 0 */
    size_t scan_count;
};

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

/* Trigrams that begin alike share a group. */
struct embedded_sift *
embedded_sift_new(struct arena *a, const struct titles_trigrams *p)
{
    struct embedded_sift *out = arena_new(a, struct embedded_sift);
    out->query = p;
    uint32_t sorted[TITLES_TRIGRAMS_MAX];
    memcpy(sorted, p->trigrams, p->count * sizeof(*sorted));
    qsort(sorted, p->count, sizeof(*sorted), compare_trigrams);
    out->scan_count = p->count / TRIGRAMS_PER_SCAN + 1;
    size_t groups = out->scan_count * (SCAN_TRIPLE_GROUPS - 1);
    for (size_t i = 0; i < p->count; i++) {
        size_t group = i * groups / p->count;
        add_to_scan(&out->scans[group / (SCAN_TRIPLE_GROUPS - 1)], sorted[i],
                    1 + (unsigned)(group % (SCAN_TRIPLE_GROUPS - 1)));
    }
    return out;
}

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
take_titles(struct batch *b, const struct block *titles, size_t from)
{
    const uint64_t *offsets = titles->offsets + from;
    size_t count = 0, count_max = MIN(titles->count - from, COUNT_OF(b->ends));
    struct str text = str_skip(titles->bytes, offsets[0] - titles->offsets[0]);
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
may_be(const struct embedded_sift *sift, uint8_t x, uint8_t y, uint8_t z)
{
    unsigned found = 0;
    for (size_t i = 0; i < sift->scan_count; i++) {
        const struct scan_triples *t = &sift->scans[i];
        found |= t->may_be[0][x] & t->may_be[1][y] & t->may_be[2][z];
    }
    return found != 0;
}

/* No less than the trigrams that query and title have in common.  Those at the title's ends
 * have a blank where its neighbours stand. */
static inline size_t
common_at_most(const struct embedded_sift *sift, const struct batch *b, size_t from, size_t to)
{
    const uint8_t *text = b->text;
    if (from == to)
        return 0;
    size_t common = may_be(sift, 0, 0, text[from]);
    if (to - from == 1)
        return common + may_be(sift, 0, text[from], 0);
    return common + may_be(sift, 0, text[from], text[from + 1]) +
           may_be(sift, text[to - 2], text[to - 1], 0) + count_marks(b->marks, from, to - 2);
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
embedded_sift_titles(const struct embedded_sift *sift, struct block_reader *titles,
                     uint64_t from, double score_min, uint64_t *out)
{
    struct batch b;
    const struct block *block = block_at(titles, from);
    take_titles(&b, block, from - block->first);
    *out = 1;
    if (b.title_count == 0)
        return 1;
    size_t bytes = b.ends[b.title_count - 1];
    memset(b.marks, 0, sizeof(b.marks));
    for (size_t i = 0; i < sift->scan_count; i++)
        scan_triples(&sift->scans[i], b.text, bytes, b.marks);
    *out = 0;
    double trigrams = (double)sift->query->count;
    size_t least = MAX((size_t)ceil(score_min * trigrams), 1);
    for (size_t i = 0, at = 0; i < b.title_count; at = b.ends[i++]) {
        size_t found = common_at_most(sift, &b, at, b.ends[i]);
        if (found < least)
            continue;
        double common = (double)MIN(found, sift->query->count), part = common / trigrams;
        double all = (double)count_all(b.text + at, b.ends[i] - at);
        bool is_worth = common / (trigrams + all - common) >= score_min ||
                        (part >= TITLES_STRETCH_MIN && part >= score_min);
        *out |= (uint64_t)is_worth << i;
    }
    return b.title_count;
}
