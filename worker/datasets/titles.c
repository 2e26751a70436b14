/* See titles.h.  One pass over all titles counts the pieces that the query has too, by a table
 * of its pieces; only what is good enough is looked at again. */
#include "datasets/titles.h"

#include "base/utf8.h"
#include "index/scan.h"

#include <stdlib.h>
#include <string.h>

/* Two blanks and one around each word of at least one byte, and never more pieces than bytes.
 */
#define PIECES_MAX (2 * TITLES_QUERY_BYTES_MAX + 2)
#define SLOT_BITS 11

struct pieces {
    uint32_t pieces[PIECES_MAX]; /* distinct, three bytes each */
    size_t count;
    uint16_t slots[1 << SLOT_BITS]; /* index + 1 by hash, 0 free */
};

static bool
is_word_byte(unsigned char c)
{
    return c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static size_t
slot_of(uint32_t piece)
{
    return piece * UINT32_C(2654435761) >> (32 - SLOT_BITS);
}

/* Index + 1 of a piece of the query, 0 when it has none such. */
static size_t
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
    p->slots[slot] = (uint16_t)p->count;
}

/* Walks the pieces of a text: the last three bytes, with words parted by blanks. */
struct piece_walk {
    struct str rest;
    uint32_t window;
    bool is_in_word;
};

static bool
next_piece(struct piece_walk *w, uint32_t *piece)
{
    for (;;) {
        bool is_word = w->rest.n && is_word_byte((unsigned char)w->rest.p[0]);
        if (!is_word && !w->is_in_word) {
            if (w->rest.n == 0)
                return false;
            w->rest = str_skip(w->rest, 1);
            continue;
        }
        if (!w->is_in_word)
            w->window = ' ' << 8 | ' ';
        uint32_t c = is_word ? (unsigned char)w->rest.p[0] : ' ';
        w->window = (w->window << 8 | c) & 0xffffff;
        w->rest = str_skip(w->rest, is_word);
        w->is_in_word = is_word;
        *piece = w->window;
        return true;
    }
}

static void
cut_query(struct pieces *p, struct str folded)
{
    struct piece_walk walk = {.rest = folded};
    uint32_t piece;
    while (next_piece(&walk, &piece))
        add_piece(p, piece);
}

static double
score_title(const struct pieces *query, struct str title)
{
    struct piece_walk walk = {.rest = title};
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
    qsort(list, count, sizeof(*list), compare_scores);
    size_t kept = MIN(count, limit);
    while (kept && kept < count && list[kept].match.score == list[kept - 1].match.score)
        kept++;
    for (size_t i = 0; i < kept; i++)
        list[i].distance = str_distance(folded, column_text(titles, list[i].match.row));
    qsort(list, kept, sizeof(*list), compare_candidates);
    return MIN(kept, limit);
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
              struct title_match **out, size_t *out_count, struct err *err)
{
    const struct column *titles;
    if (!check(version, text, &titles, err))
        return false;
    struct str folded = utf8_folded(a, text);
    struct pieces *query = arena_new(a, struct pieces);
    cut_query(query, folded);
    struct candidate *list = arena_array(a, version->row_count, struct candidate);
    size_t count = 0;
    for (uint64_t row = 0; row < version->row_count; row++) {
        double score = score_title(query, column_text(titles, row));
        if (score >= TITLES_SCORE_MIN)
            list[count++] = (struct candidate){.match = {row, score}};
    }
    *out_count = keep_best(list, count, limit, titles, folded);
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
               struct title_match *out, struct err *err)
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
    if (!titles_search(a, version, text, 1, &best, &count, err))
        return false;
    if (count == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("name"),
                            "no title in dataset '%" STR_FMT "' is like '%" STR_FMT "'",
                            STR_ARG(version->dataset.name), STR_ARG(text));
    *out = best[0];
    return true;
}
