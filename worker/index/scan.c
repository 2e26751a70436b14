/* A substring is searched in all cells at once, as they lie end to end: with one long haystack
 * the vector loop runs even where cells are short, and the row of a hit is found by advancing
 * through the offsets.  Offsets are clamped on use: a damaged file gives a wrong answer, but no
 * access outside the map. */
#include "index/scan.h"

#include "index/columns_format.h"
#include "index/scan_kernels.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct scan_kernels *kernels = &SCAN_PORTABLE;
static pthread_once_t kernels_once = PTHREAD_ONCE_INIT;

static void
choose_kernels(void)
{
    const char *forced = getenv("PLAYMETER_PORTABLE");
    bool is_portable = forced && strcmp(forced, "1") == 0;
    if (!is_portable && scan_kernels_avx2())
        kernels = scan_kernels_avx2();
}

static const struct scan_kernels *
chosen(void)
{
    pthread_once(&kernels_once, choose_kernels);
    return kernels;
}

void
scan_int_range(const struct column *c, int64_t lo, int64_t hi, struct bitmap *out)
{
    assert(out->row_count == c->row_count);
    chosen()->int_range(c->ints, c->nulls, c->row_count, lo, hi, out->words);
}

void
scan_real_range(const struct column *c, double lo, bool lo_open, double hi, bool hi_open,
                struct bitmap *out)
{
    assert(out->row_count == c->row_count);
    /* A strict bound is the neighbouring double, since there is no double in between. */
    if (lo_open)
        lo = nextafter(lo, INFINITY);
    if (hi_open)
        hi = nextafter(hi, -INFINITY);
    chosen()->real_range(c->reals, c->nulls, c->row_count, lo, hi, out->words);
}

/* Cells end to end: the rows of a column, or the elements of a dictionary. */
struct cells {
    struct str bytes;
    const uint64_t *offsets;
    const uint64_t *prefixes; /* NULL for elements */
    uint64_t count;
};

static struct cells
cells_of_rows(const struct column *c)
{
    return (struct cells){c->text.bytes, c->text.offsets, c->text.prefixes, c->row_count};
}

static struct cells
cells_of_elements(const struct column *c)
{
    return (struct cells){c->list.folded_bytes, c->list.folded_offsets, NULL, c->list.count};
}

static struct str
cell(const struct cells *c, uint64_t i)
{
    return str_slice(c->bytes, c->offsets[i], c->offsets[i + 1]);
}

/* Byte frequencies are taken from the beginning, which is enough to tell English from
 * Cyrillic. */
#define SAMPLE_BYTES ((size_t)4096)

struct scan_needle
scan_needle_make(struct str haystack, struct str needle)
{
    uint32_t seen[256] = {0};
    for (size_t i = 0; i < MIN(haystack.n, SAMPLE_BYTES); i++)
        seen[(unsigned char)haystack.p[i]]++;
    struct scan_needle n = {.bytes = needle};
    for (size_t i = 1; i < needle.n; i++)
        if (seen[(unsigned char)needle.p[i]] < seen[(unsigned char)needle.p[n.first]])
            n.first = i;
    n.second = n.first;
    for (size_t i = 0; i < needle.n; i++) {
        bool is_other = needle.p[i] != needle.p[n.first];
        bool is_first_other = n.second == n.first;
        if (is_other && (is_first_other || seen[(unsigned char)needle.p[i]] <
                                               seen[(unsigned char)needle.p[n.second]]))
            n.second = i;
    }
    return n;
}

/*        row r-1   |        row r        |  row r+1
 *   ... d r a g o n|a   d r a g o n   . .|. d r a|g o n
 *                       ^ hit                   ^ not a hit: it crosses the end of its row
 *
 * After a candidate the search continues at the end of its row: after a hit the row is in the
 * set, and after one that crosses the row's end no later one in the row can fit either. */
static void
match_containing(const struct cells *c, struct str needle, struct bitmap *out)
{
    if (needle.n > c->bytes.n)
        return;
    struct scan_needle prepared = scan_needle_make(c->bytes, needle);
    const struct scan_kernels *k = chosen();
    uint64_t row = 0;
    size_t at = 0;
    while ((at = k->find(c->bytes, at, &prepared)) != SIZE_MAX) {
        while (row < c->count && MIN(c->offsets[row + 1], c->bytes.n) <= at)
            row++;
        if (row == c->count)
            return;
        size_t row_end = MIN(c->offsets[row + 1], c->bytes.n);
        if (row_end - at >= needle.n)
            bitmap_set(out, row);
        at = row_end;
    }
}

/* Decides from the order prefix alone which texts cannot match. */
struct prefix_test {
    uint64_t wanted, mask;
};

static struct prefix_test
prefix_test_of(enum match match, struct str needle)
{
    bool has_prefix = match == MATCH_STARTS || match == MATCH_EQUALS;
    uint64_t mask = needle.n >= 8 ? UINT64_MAX : ~(UINT64_MAX >> 8 * needle.n);
    return has_prefix ? (struct prefix_test){columns_prefix(needle), mask}
                      : (struct prefix_test){0};
}

/* The order prefix alone rules out nearly every row of a column. */
static void
match_beginning(const struct cells *c, struct str needle, bool is_whole, struct bitmap *out)
{
    struct prefix_test prefix = prefix_test_of(MATCH_STARTS, needle);
    for (uint64_t i = 0; i < c->count; i++) {
        if (c->prefixes && (c->prefixes[i] & prefix.mask) != prefix.wanted)
            continue;
        struct str text = cell(c, i);
        if (str_starts(text, needle) && (!is_whole || text.n == needle.n))
            bitmap_set(out, i);
    }
}

static void
match_ending(const struct cells *c, struct str needle, struct bitmap *out)
{
    for (uint64_t i = 0; i < c->count; i++)
        if (str_ends(cell(c, i), needle))
            bitmap_set(out, i);
}

static void
match_cells(const struct cells *c, enum match match, struct str needle, struct bitmap *out)
{
    if (needle.n == 0 && match != MATCH_EQUALS) {
        for (uint64_t i = 0; i < c->count; i++)
            bitmap_set(out, i);
        return;
    }
    switch (match) {
    case MATCH_CONTAINS:
        match_containing(c, needle, out);
        break;
    case MATCH_STARTS:
        match_beginning(c, needle, false, out);
        break;
    case MATCH_ENDS:
        match_ending(c, needle, out);
        break;
    case MATCH_EQUALS:
        match_beginning(c, needle, true, out);
        break;
    }
}

void
scan_text(const struct column *c, enum match match, struct str folded_needle,
          struct bitmap *out)
{
    assert(out->row_count == c->row_count);
    struct cells cells = cells_of_rows(c);
    match_cells(&cells, match, folded_needle, out);
}

/* ---- triples ---- */

void
scan_triples_add(struct scan_triples *t, unsigned group, const int bytes[3])
{
    uint8_t bit = (uint8_t)(1 << group);
    for (size_t i = 0; i < 3; i++) {
        for (int nibble = 0; nibble < 16; nibble++) {
            bool is_any = bytes[i] == SCAN_ANY_BYTE;
            t->low[i][nibble] |= is_any || (bytes[i] & 15) == nibble ? bit : 0;
            t->high[i][nibble] |= is_any || bytes[i] >> 4 == nibble ? bit : 0;
        }
        for (size_t b = 0; b < 256; b++)
            t->may_be[i][b] = t->low[i][b & 15] & t->high[i][b >> 4];
    }
}

void
scan_triples(const struct scan_triples *t, const uint8_t *text, size_t n, uint64_t *words)
{
    chosen()->triples(t, text, n, words);
}

/* ---- single rows ---- */

/* Texts that are not adjacent come from memory at 0.2 us each, one after the other, unless
 * they are prefetched.  10,760 texts of 1.4 kB, p50: 4 rows ahead 1.19 ms, 16 rows 1.32, 4
 * rows of 256 bytes 1.31, 16 of 1,100 bytes 1.39: prefetching more evicts lines that are still
 * needed. */
#define AHEAD_ROWS 4
#define AHEAD_BYTES ((size_t)768)
#define CACHE_LINE 64

static void
fetch_ahead(const struct column *c, enum match match, uint64_t row)
{
    struct str text = column_text(c, row);
    size_t n = MIN(text.n, match == MATCH_CONTAINS ? AHEAD_BYTES : CACHE_LINE);
    const char *p = match == MATCH_ENDS ? text.p + text.n - n : text.p;
    for (size_t i = 0; i < n; i += CACHE_LINE)
        __builtin_prefetch(p + i);
}

static bool
text_matches(struct str text, enum match match, const struct scan_needle *needle)
{
    switch (match) {
    case MATCH_CONTAINS:
        return needle->bytes.n <= text.n && chosen()->find(text, 0, needle) != SIZE_MAX;
    case MATCH_STARTS:
        return str_starts(text, needle->bytes);
    case MATCH_ENDS:
        return str_ends(text, needle->bytes);
    case MATCH_EQUALS:
        return str_eq(text, needle->bytes);
    }
    return false;
}

void
scan_text_rows(const struct column *c, enum match match, struct str folded_needle,
               const struct bitmap *candidates, struct bitmap *out)
{
    assert(out->row_count == c->row_count && candidates->row_count == c->row_count);
    if (folded_needle.n == 0 && match != MATCH_EQUALS) {
        bitmap_or(out, candidates);
        return;
    }
    struct scan_needle needle = scan_needle_make(c->text.bytes, folded_needle);
    struct prefix_test prefix = prefix_test_of(match, folded_needle);
    uint64_t ahead = bitmap_next(candidates, 0), visited = 0;
    for (uint64_t row = ahead; row < c->row_count; row = bitmap_next(candidates, row + 1)) {
        for (; prefix.mask == 0 && ahead < c->row_count && visited < AHEAD_ROWS; visited++) {
            fetch_ahead(c, match, ahead);
            ahead = bitmap_next(candidates, ahead + 1);
        }
        visited--;
        if ((c->text.prefixes[row] & prefix.mask) == prefix.wanted &&
            text_matches(column_text(c, row), match, &needle))
            bitmap_set(out, row);
    }
}

static bool
is_in_order(enum match_order order, int comparison)
{
    switch (order) {
    case MATCH_LESS:
        return comparison < 0;
    case MATCH_LESS_EQUAL:
        return comparison <= 0;
    case MATCH_GREATER:
        return comparison > 0;
    case MATCH_GREATER_EQUAL:
        return comparison >= 0;
    }
    return false;
}

void
scan_text_order(const struct column *c, enum match_order order, struct str folded_needle,
                struct bitmap *out)
{
    assert(out->row_count == c->row_count);
    uint64_t prefix = columns_prefix(folded_needle);
    for (uint64_t row = 0; row < c->row_count; row++) {
        int comparison = c->text.prefixes[row] < prefix ? -1 : 1;
        if (c->text.prefixes[row] == prefix)
            comparison = str_cmp(column_text(c, row), folded_needle);
        if (is_in_order(order, comparison))
            bitmap_set(out, row);
    }
}

void
scan_list(const struct column *c, enum match match, struct str folded_needle,
          struct bitmap *out)
{
    assert(out->row_count == c->row_count);
    scoped_arena scratch = {0};
    struct cells elements = cells_of_elements(c);
    struct bitmap matching = bitmap_new(&scratch, elements.count);
    match_cells(&elements, match, folded_needle, &matching);
    if (bitmap_next(&matching, 0) == elements.count)
        return;
    for (uint64_t row = 0; row < c->row_count; row++) {
        size_t count;
        const uint32_t *ids = column_element_ids(c, row, &count);
        for (size_t i = 0; i < count; i++)
            if (bitmap_has(&matching, ids[i])) {
                bitmap_set(out, row);
                break;
            }
    }
}
