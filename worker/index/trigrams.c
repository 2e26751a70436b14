/* The layout of every segment is checked when the file is opened.  A list is checked when it is
 * read, into a set of its own, so that damage is noticed before it changes the candidates. */
#include "index/trigrams.h"

#include "index/container.h"
#include "index/trigrams_format.h"

#include <string.h>

/* Testing one more text costs about as much as reading this many bytes of a list of gaps: 0.1
 * us for a text of 1.4 kB that is mostly not in the cache, against 1 ns per gap. */
#define LOOK_BYTES 100
/* Reading a byte of a bitmap costs this fraction of a byte of gaps, since words are read. */
#define BITMAP_SHARE 16
/* For a long needle only some of its trigrams are used, spread evenly over it. */
#define NEEDLE_GRAMS_MAX 24

static bool
open_segment(struct str section, struct trigrams_segment *out)
{
    struct trigrams_segment_header h;
    if (section.n < sizeof(h))
        return false;
    memcpy(&h, section.p, sizeof(h));
    struct str rest = str_skip(section, sizeof(h));
    if (h.row_count == 0 || h.row_count > TRIGRAMS_SEGMENT_ROWS_MAX ||
        h.gram_count > TRIGRAM_COUNT)
        return false;
    size_t grams_bytes = h.gram_count * sizeof(uint32_t);
    if (rest.n < 2 * grams_bytes + sizeof(uint32_t))
        return false;
    *out = (struct trigrams_segment){
        .first_row = h.first_row,
        .row_count = h.row_count,
        .gram_count = h.gram_count,
        .grams = (const uint32_t *)rest.p,
        .offsets = (const uint32_t *)(rest.p + grams_bytes),
        .lists = str_skip(rest, 2 * grams_bytes + sizeof(uint32_t)),
    };
    return true;
}

static bool
open_column(struct arena *a, const struct container *c, const struct trigrams_entry *entry,
            struct trigrams_column *out, struct err *err)
{
    if (entry->segment_count > c->section_count)
        return container_damaged(err, "column %u has too many segments", entry->column);
    *out = (struct trigrams_column){
        .column = entry->column,
        .text_bytes = entry->text_bytes,
        .segments = arena_array(a, entry->segment_count, struct trigrams_segment),
        .segment_count = entry->segment_count,
    };
    uint64_t row = 0;
    for (uint32_t s = 0; s < entry->segment_count; s++) {
        struct trigrams_segment *segment = &out->segments[s];
        struct str section = container_find(c, TRIGRAMS_SECTION_SEGMENT + s, entry->column);
        if (!open_segment(section, segment) || segment->first_row != row || row % 64 ||
            segment->row_count > c->row_count - row)
            return container_damaged(err, "segment %u of column %u does not fit", s,
                                     entry->column);
        row += segment->row_count;
    }
    return row == c->row_count ||
           container_damaged(err, "the segments of column %u end early", entry->column);
}

static bool
check_entry(const struct trigrams_entry *entry, bool is_first, const struct columns *columns,
            struct err *err)
{
    if ((!is_first && entry->column <= entry[-1].column) ||
        entry->column >= columns->column_count ||
        !column_type_is_textual(columns->columns[entry->column].type) ||
        column_text_bytes(&columns->columns[entry->column]) != entry->text_bytes)
        return container_damaged(err, "column %u is not that of the columns file",
                                 entry->column);
    return true;
}

static bool
open_mapped(struct arena *a, struct trigrams *t, const struct columns *columns, struct err *err)
{
    struct container c;
    if (!container_open(&c, t->map.bytes, TRIGRAMS_KIND, TRIGRAMS_VERSION, err) ||
        !container_verify_section(&c, TRIGRAMS_SECTION_COLUMNS, CONTAINER_NO_COLUMN, err))
        return false;
    struct str bytes = container_find(&c, TRIGRAMS_SECTION_COLUMNS, CONTAINER_NO_COLUMN);
    const struct trigrams_entry *entries = (const struct trigrams_entry *)bytes.p;
    if (bytes.n % sizeof(*entries))
        return container_damaged(err, "its column entries have %zu bytes", bytes.n);
    if (c.row_count != columns->row_count)
        return container_damaged(err, "it has other rows than the columns file");
    t->row_count = c.row_count;
    t->column_count = bytes.n / sizeof(*entries);
    t->columns = arena_array(a, t->column_count, struct trigrams_column);
    for (size_t i = 0; i < t->column_count; i++)
        if (!check_entry(&entries[i], i == 0, columns, err) ||
            !open_column(a, &c, &entries[i], &t->columns[i], err))
            return false;
    return true;
}

bool
trigrams_open(struct arena *a, struct trigrams *out, int fd, const struct columns *columns,
              struct err *err)
{
    struct trigrams t = {0};
    if (!fs_map_open(&t.map, fd, err))
        return false;
    if (!open_mapped(a, &t, columns, err)) {
        trigrams_close(&t);
        return false;
    }
    *out = t;
    return true;
}

bool
trigrams_check(int fd, uint64_t row_count, struct err *err)
{
    return container_check(fd, TRIGRAMS_KIND, TRIGRAMS_VERSION, row_count, err);
}

void
trigrams_close(struct trigrams *trigrams)
{
    fs_map_close(&trigrams->map);
    *trigrams = (struct trigrams){0};
}

const struct trigrams_column *
trigrams_find(const struct trigrams *trigrams, size_t column)
{
    for (size_t i = 0; i < trigrams->column_count; i++)
        if (trigrams->columns[i].column == column)
            return &trigrams->columns[i];
    return NULL;
}

/* ---- lists ---- */

/* False when the list is not inside its segment. */
static bool
list_at(const struct trigrams_segment *s, uint32_t gram_index, struct str *out)
{
    uint32_t from = s->offsets[gram_index], to = s->offsets[gram_index + 1];
    if (from > to || to > s->lists.n || to - from > trigrams_bitmap_bytes(s->row_count))
        return false;
    *out = (struct str){s->lists.p + from, to - from};
    return true;
}

/* 1 found, 0 no row has the trigram, -1 damaged. */
static int
find_list(const struct trigrams_segment *s, uint32_t gram, struct str *out)
{
    uint32_t low = 0, high = s->gram_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->grams[middle] < gram)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->gram_count || s->grams[low] != gram)
        return 0;
    return list_at(s, low, out) ? 1 : -1;
}

static bool
is_bitmap(const struct trigrams_segment *s, struct str list)
{
    return list.n == trigrams_bitmap_bytes(s->row_count);
}

/* Adds the rows of a list of gaps to a set of the segment's rows. */
static bool
read_gaps(const struct trigrams_segment *s, struct str list, uint64_t *words)
{
    const unsigned char *p = (const unsigned char *)list.p, *end = p + list.n;
    uint32_t row = 0;
    while (p < end) {
        uint32_t gap = *p++;
        if (gap >= 0x80) {
            gap &= 0x7f;
            for (unsigned shift = 7;; shift += 7) {
                if (p == end || shift > 14)
                    return false;
                gap |= (uint32_t)(*p & 0x7f) << shift;
                if (*p++ < 0x80)
                    break;
            }
        }
        row += gap;
        if (row >= s->row_count)
            return false;
        words[row / 64] |= UINT64_C(1) << row % 64;
        row++;
    }
    return true;
}

/* Bits beyond the last row need not be cleared: in the set it is combined with they are 0. */
static void
and_bitmap(struct str list, uint64_t *words)
{
    size_t whole = list.n / sizeof(uint64_t);
    uint64_t word;
    for (size_t i = 0; i < whole; i++) {
        memcpy(&word, list.p + i * sizeof(word), sizeof(word));
        words[i] &= word;
    }
    word = 0;
    memcpy(&word, list.p + whole * sizeof(word), list.n % sizeof(word));
    if (list.n % sizeof(word))
        words[whole] &= word;
}

static bool
and_list(const struct trigrams_segment *s, struct str list, uint64_t *words)
{
    if (is_bitmap(s, list)) {
        and_bitmap(list, words);
        return true;
    }
    size_t word_count = bitmap_word_count(s->row_count);
    uint64_t rows[TRIGRAMS_SEGMENT_WORDS];
    memset(rows, 0, word_count * sizeof(*rows));
    if (!read_gaps(s, list, rows))
        return false;
    for (size_t i = 0; i < word_count; i++)
        words[i] &= rows[i];
    return true;
}

/* ---- searching ---- */

/* The lists of a needle's trigrams in one segment, shortest first. */
struct lists {
    struct str items[NEEDLE_GRAMS_MAX];
    size_t count;
};

/* 1 all of the needle's trigrams occur, 0 some do not, -1 damaged. */
static int
find_lists(const struct trigrams_segment *s, struct str needle, struct lists *out)
{
    size_t gram_count = needle.n - TRIGRAM_BYTES + 1;
    out->count = MIN(gram_count, NEEDLE_GRAMS_MAX);
    for (size_t i = 0; i < out->count; i++) {
        struct str list;
        size_t at = i * gram_count / out->count;
        int got = find_list(s, trigram_at(needle.p + at), &list);
        if (got <= 0)
            return got;
        size_t place = i;
        for (; place > 0 && out->items[place - 1].n > list.n; place--)
            out->items[place] = out->items[place - 1];
        out->items[place] = list;
    }
    return 1;
}

static size_t
read_cost(const struct trigrams_segment *s, struct str list)
{
    return is_bitmap(s, list) ? list.n / BITMAP_SHARE : list.n;
}

static bool
narrow_segment(const struct trigrams_segment *s, struct str needle, struct bitmap *candidates)
{
    struct bitmap here = {candidates->words + s->first_row / 64, s->row_count};
    struct lists lists;
    uint64_t left = bitmap_count(&here);
    if (left == 0)
        return true;
    int got = find_lists(s, needle, &lists);
    if (got == 0)
        memset(here.words, 0, bitmap_word_count(s->row_count) * sizeof(uint64_t));
    for (size_t i = 0; got > 0 && i < lists.count && left > 0; i++) {
        bool is_cheaper_to_look = left * LOOK_BYTES <= read_cost(s, lists.items[i]);
        if (is_cheaper_to_look && needle.n > TRIGRAM_BYTES)
            break;
        if (!and_list(s, lists.items[i], here.words))
            return false;
        left = bitmap_count(&here);
    }
    return got >= 0;
}

bool
trigrams_narrow(const struct trigrams_column *column, struct str folded_needle,
                struct bitmap *candidates)
{
    assert(folded_needle.n >= TRIGRAM_BYTES);
    for (size_t i = 0; i < column->segment_count; i++)
        if (!narrow_segment(&column->segments[i], folded_needle, candidates))
            return false;
    return true;
}

uint64_t
trigrams_cost(const struct trigrams_column *column, struct str folded_needle)
{
    uint64_t cost = 0;
    for (size_t i = 0; i < column->segment_count; i++) {
        struct lists lists;
        if (find_lists(&column->segments[i], folded_needle, &lists) > 0)
            cost += lists.items[0].n * LOOK_BYTES;
    }
    return MIN(cost, column->text_bytes);
}

/* ---- verifying ---- */

static bool
verify_segment(const struct trigrams_segment *s)
{
    if (s->offsets[0] != 0 || s->offsets[s->gram_count] != s->lists.n)
        return false;
    for (uint32_t i = 0; i < s->gram_count; i++) {
        struct str list;
        uint64_t rows[TRIGRAMS_SEGMENT_WORDS] = {0};
        if (s->grams[i] >= TRIGRAM_COUNT || (i && s->grams[i] <= s->grams[i - 1]) ||
            !list_at(s, i, &list) || list.n == 0)
            return false;
        if (!is_bitmap(s, list) && !read_gaps(s, list, rows))
            return false;
    }
    return true;
}

bool
trigrams_verify(const struct trigrams *trigrams, struct err *err)
{
    struct container c;
    if (!container_open(&c, trigrams->map.bytes, TRIGRAMS_KIND, TRIGRAMS_VERSION, err) ||
        !container_verify(&c, err))
        return false;
    for (size_t i = 0; i < trigrams->column_count; i++)
        for (size_t s = 0; s < trigrams->columns[i].segment_count; s++)
            if (!verify_segment(&trigrams->columns[i].segments[s]))
                return container_damaged(err,
                                         "the lists of segment %zu of column %u do not fit", s,
                                         trigrams->columns[i].column);
    return true;
}
