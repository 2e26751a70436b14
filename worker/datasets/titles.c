/* See titles.h.  One pass over all titles counts the pieces that the query may have too, by a
 * table of its pieces; only what may be good enough is looked at again. */
#include "datasets/titles.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "index/scan.h"

#include <stdlib.h>
#include <string.h>

/* Two blanks and one around each word of at least one byte, and never more pieces than bytes.
 */
#define PIECES_MAX (2 * TITLES_QUERY_BYTES_MAX + 2)
#define ROWS_PER_LOOK 64 /* at the clock; titles may be long */
#define SLOT_BITS 11
#define CODE_BITS 5

struct pieces {
    uint32_t pieces[PIECES_MAX]; /* distinct, three bytes each */
    size_t count;
    uint16_t slots[1 << SLOT_BITS];       /* index + 1 by hash, 0 free */
    uint8_t may_have[1 << 3 * CODE_BITS]; /* by the codes of its bytes: is there such a one? */
};

static inline bool
is_word_byte(char c)
{
    static const bool IS_WORD[256] = {
        ['a' ... 'z'] = true, ['0' ... '9'] = true, [0x80 ... 0xff] = true};
    return IS_WORD[(unsigned char)c];
}

/* 0 for what is in no word; some digits, and bytes beyond ASCII with others, share one. */
static inline uint32_t
code_of(uint32_t byte)
{
    byte &= 0xff;
    if (!is_word_byte((char)byte))
        return 0;
    return byte >= 'a' && byte <= 'z' ? byte - 'a' + 1 : 1 + byte % ((1 << CODE_BITS) - 1);
}

static inline size_t
slot_of(uint32_t piece)
{
    return piece * UINT32_C(2654435761) >> (32 - SLOT_BITS);
}

/* Index + 1 of a piece of the query, 0 when it has none such. */
static inline size_t
find_piece(const struct pieces *p, uint32_t piece)
{
    size_t slot = slot_of(piece);
    while (p->slots[slot] && p->pieces[p->slots[slot] - 1] != piece)
        slot = (slot + 1) % COUNT_OF(p->slots);
    return p->slots[slot];
}

static void
add_piece(struct pieces *p, uint32_t piece)
{
    if (find_piece(p, piece))
        return;
    size_t slot = slot_of(piece);
    while (p->slots[slot])
        slot = (slot + 1) % COUNT_OF(p->slots);
    p->pieces[p->count++] = piece;
    p->may_have[code_of(piece >> 16) << 2 * CODE_BITS | code_of(piece >> 8) << CODE_BITS |
                code_of(piece)] = 1;
    p->slots[slot] = (uint16_t)p->count;
}

/* Walks the pieces of a text: the last three bytes, with words parted by blanks. */
struct piece_walk {
    const char *p, *end;
    uint32_t window;
    bool is_in_word;
};

static inline struct piece_walk
walk_of(struct str text)
{
    return (struct piece_walk){.p = text.p, .end = text.n ? text.p + text.n : text.p};
}

static inline bool
next_piece(struct piece_walk *w, uint32_t *piece)
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
    *piece = w->window;
    return true;
}

static void
cut_query(struct pieces *p, struct str folded)
{
    struct piece_walk walk = walk_of(folded);
    uint32_t piece;
    while (next_piece(&walk, &piece))
        add_piece(p, piece);
}

/* What score_at_most needs of a byte. */
struct byte_codes {
    uint16_t codes[256];
    uint16_t
        keeps[256]; /* mask of what stays of a window behind the byte: none between words */
};

static void
fill_codes(struct byte_codes *out)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        out->codes[byte] = (uint16_t)code_of(byte);
        out->keeps[byte] = code_of(byte) ? (1 << 2 * CODE_BITS) - 1 : 0;
    }
}

/* No less than score_title would say.  All titles pass here, and where their words end is hard
 * to foresee: so there is no branch in it, and pieces are told apart by their codes alone. */
static double
score_at_most(const struct pieces *query, const struct byte_codes *bytes, struct str title)
{
    uint32_t window = 0;
    size_t common = 0;
    for (size_t i = 0; i < title.n; i++) {
        unsigned char c = (unsigned char)title.p[i];
        uint32_t piece = window << CODE_BITS | bytes->codes[c];
        common += query->may_have[piece];
        window = piece & bytes->keeps[c];
    }
    common += query->may_have[window << CODE_BITS];
    /* As if the title had no other pieces. */
    return query->count ? (double)common / (double)query->count : 0;
}

static double
score_title(const struct pieces *query, struct str title)
{
    struct piece_walk walk = walk_of(title);
    uint64_t seen[PIECES_MAX / 64 + 1] = {0};
    size_t total = 0, common = 0, found;
    for (uint32_t piece; next_piece(&walk, &piece); total++) {
        if (!(found = find_piece(query, piece)))
            continue;
        uint64_t bit = UINT64_C(1) << found % 64;
        common += !(seen[found / 64] & bit);
        seen[found / 64] |= bit;
    }
    return common ? (double)common / (double)(query->count + total - common) : 0;
}

/* ---- the best ---- */

struct candidate {
    struct title_match match;
    size_t distance;
};

static int
compare_scores(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->match.score != y->match.score)
        return x->match.score > y->match.score ? -1 : 1;
    return x->match.row < y->match.row ? -1 : x->match.row > y->match.row;
}

static int
compare_candidates(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->match.score == y->match.score && x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return compare_scores(a, b);
}

/* Keeps the `limit` best of those in score order; distances matter only down to the last one's
 * score. */
static size_t
keep_best(struct candidate *list, size_t count, uint64_t limit, const struct column *titles,
          struct str folded)
{
    if (count == 0)
        return 0; /* nor is there a list */
    qsort(list, count, sizeof(*list), compare_scores);
    size_t kept = MIN(count, limit);
    while (kept && kept < count && list[kept].match.score == list[kept - 1].match.score)
        kept++;
    for (size_t i = 0; i < kept; i++)
        list[i].distance = str_distance(folded, column_text(titles, list[i].match.row));
    qsort(list, kept, sizeof(*list), compare_candidates);
    return MIN(kept, limit);
}

static void
add_candidate(struct buf *found, uint64_t row, double score)
{
    struct candidate c = {.match = {row, score}};
    buf_add(found, (struct str){(const char *)&c, sizeof(c)});
}

static bool
check(const struct version *version, struct str text, const struct column **out,
      struct err *err)
{
    size_t title = version->schema.title_index;
    if (title == SCHEMA_ROW_NUMBER)
        return err_set_code(err, ERR_BAD_PARAMETER, "no_title",
                            "dataset '%" STR_FMT "' has no title column to look in",
                            STR_ARG(version->dataset.name));
    if (text.n == 0 || text.n > TITLES_QUERY_BYTES_MAX)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("name"),
                            "name has 1 to %d bytes, got %zu", TITLES_QUERY_BYTES_MAX, text.n);
    *out = &version->columns.columns[title];
    return true;
}

bool
titles_search(struct arena *a, const struct version *version, struct str text, uint64_t limit,
              uint64_t deadline_us, struct title_match **out, size_t *out_count,
              struct err *err)
{
    const struct column *titles;
    if (!check(version, text, &titles, err))
        return false;
    struct str folded = utf8_folded(a, text);
    struct pieces *query = arena_new(a, struct pieces);
    cut_query(query, folded);
    struct byte_codes codes;
    fill_codes(&codes);
    scoped_buf found = {0};
    buf_init(&found, SIZE_MAX / 2);
    for (uint64_t row = 0; row < version->row_count; row++) {
        if (row % ROWS_PER_LOOK == 0 && clock_is_past(deadline_us))
            return err_set_code(err, ERR_BUSY, "deadline",
                                "looking through the titles took longer than a request may");
        struct str title = column_text(titles, row);
        if (score_at_most(query, &codes, title) < TITLES_SCORE_MIN)
            continue;
        double score = score_title(query, title);
        if (score >= TITLES_SCORE_MIN)
            add_candidate(&found, row, score);
    }
    struct candidate *list = (void *)found.p;
    *out_count = keep_best(list, found.n / sizeof(*list), limit, titles, folded);
    *out = arena_array(a, *out_count, struct title_match);
    for (size_t i = 0; i < *out_count; i++)
        (*out)[i] = list[i].match;
    return true;
}

/* The first row of exactly this title, else the first of the folded one; false without either.
 */
static bool
find_equal(struct arena *a, const struct version *version, struct str text, uint64_t *row,
           bool *is_found, struct err *err)
{
    size_t title = version->schema.title_index;
    struct bitmap equal = bitmap_new(a, version->row_count);
    scan_text(&version->columns.columns[title], SCAN_EQUALS, utf8_folded(a, text), &equal);
    uint64_t first = bitmap_next(&equal, 0);
    *is_found = first < version->row_count;
    *row = first;
    for (uint64_t at = first; at < version->row_count; at = bitmap_next(&equal, at + 1)) {
        struct value value;
        int got = rows_get(version->rows, at + 1, &title, 1, &value, err);
        if (got <= 0)
            return got == 0
                       ? err_set(err, ERR_INTERNAL, "rows.db has no row %zu", (size_t)at + 1)
                       : false;
        if (str_eq(value.text, text)) {
            *row = at;
            return true;
        }
    }
    return true;
}

bool
titles_resolve(struct arena *a, const struct version *version, struct str text,
               uint64_t deadline_us, struct title_match *out, struct err *err)
{
    const struct column *titles;
    bool is_found;
    if (!check(version, text, &titles, err) ||
        !find_equal(a, version, text, &out->row, &is_found, err))
        return false;
    out->score = 1;
    if (is_found)
        return true;
    struct title_match *best;
    size_t count;
    if (!titles_search(a, version, text, 1, deadline_us, &best, &count, err))
        return false;
    if (count == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("name"),
                            "no title in dataset '%" STR_FMT "' is like '%" STR_FMT "'",
                            STR_ARG(version->dataset.name), STR_ARG(text));
    *out = best[0];
    return true;
}
