/* Titles that hold the words are found by a scan for the longest of them.  They
 * outrank what only resembles the text, so the pass over all titles is left out where they fill
 * the list already. */
#include "embedded/titles.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "embedded/engine.h"
#include "embedded/sift.h"
#include "index/scan.h"
#include "query/titles_words.h"

#include <stdlib.h>

#define ROWS_PER_LOOK 64 /* at the clock; titles may be long */

/* ---- the best ---- */

/* The candidates so far; what is below `score_min` cannot get among the `limit` best. */
struct best {
    struct buf *list; /* struct titles_candidate */
    size_t prune_at;  /* candidates */
    uint64_t limit;
    double score_min;
};

static struct titles_candidate *
candidates_of(const struct best *best, size_t *count)
{
    *count = best->list->n / sizeof(struct titles_candidate);
    return (void *)best->list->p;
}

static int
compare_scores(const void *a, const void *b)
{
    const struct titles_candidate *x = a, *y = b;
    if (x->match.score != y->match.score)
        return x->match.score > y->match.score ? -1 : 1;
    return x->match.row < y->match.row ? -1 : x->match.row > y->match.row;
}

/* Keeps the `limit` best, and those that have the score of the last of them. */
static void
prune(struct best *best)
{
    size_t count;
    struct titles_candidate *list = candidates_of(best, &count);
    if (count == 0)
        return; /* nor is there a list */
    qsort(list, count, sizeof(*list), compare_scores);
    size_t kept = MIN(count, best->limit);
    while (kept < count && list[kept].match.score == list[kept - 1].match.score)
        kept++;
    if (kept >= best->limit)
        best->score_min = MAX(best->score_min, list[best->limit - 1].match.score);
    best->list->n = kept * sizeof(*list);
    best->prune_at = 2 * kept + ROWS_PER_LOOK; /* each has to be sorted again */
}

static void
offer(struct best *best, uint64_t row, double score)
{
    struct titles_candidate c = {.match = {row, score}};
    if (score < best->score_min)
        return;
    buf_add(best->list, (struct str){(const char *)&c, sizeof(c)});
    if (best->list->n >= best->prune_at * sizeof(c))
        prune(best);
}

static void
take_best(struct arena *a, struct best *best, const struct column *titles, struct str folded,
          struct titles_match **out, size_t *out_count)
{
    size_t count;
    prune(best);
    struct titles_candidate *list = candidates_of(best, &count);
    for (size_t i = 0; i < count; i++)
        list[i].title = column_text(titles, list[i].match.row);
    titles_rank(list, count, folded);
    *out_count = MIN(count, best->limit);
    *out = arena_array(a, *out_count, struct titles_match);
    for (size_t i = 0; i < *out_count; i++)
        (*out)[i] = list[i].match;
}

/* ---- looking ---- */

struct search {
    const struct column *titles;
    const struct bitmap *among; /* NULL: all rows */
    uint64_t deadline_us;
    struct best best;
};

static bool
check_clock(const struct search *s, struct err *err)
{
    return !clock_is_past(s->deadline_us) ||
           err_set_code(err, ERR_BUSY, "deadline",
                        "looking through the titles took longer than a request may");
}

/* Leaves in `held` the rows that it offers. */
static bool
find_words(struct arena *a, struct search *s, struct str folded, struct bitmap *held,
           struct err *err)
{
    struct titles_words words;
    struct bitmap found = bitmap_new(a, s->titles->row_count);
    uint64_t looked_at = 0;
    titles_words_init(&words, folded);
    if (words.count == 0)
        return true;
    if (s->among)
        scan_text_rows(s->titles, MATCH_CONTAINS, words.words[words.longest], s->among, &found);
    else
        scan_text(s->titles, MATCH_CONTAINS, words.words[words.longest], &found);
    for (uint64_t row = bitmap_next(&found, 0); row < found.row_count;
         row = bitmap_next(&found, row + 1)) {
        if (looked_at++ % ROWS_PER_LOOK == 0 && !check_clock(s, err))
            return false;
        double score = titles_words_score(&words, column_text(s->titles, row));
        if (score == 0)
            continue;
        bitmap_set(held, row);
        offer(&s->best, row, score);
    }
    prune(&s->best);
    return true;
}

static bool
find_alike(struct arena *a, struct search *s, struct str folded, const struct bitmap *held,
           struct err *err)
{
    const struct titles_trigrams *trigrams = titles_trigrams_of(a, folded);
    const struct embedded_sift *sift = embedded_sift_new(a, trigrams);
    struct block_reader titles = block_reader_of(s->titles, BLOCK_TEXTS);
    size_t count;
    for (uint64_t from = 0, sifted; from < s->titles->row_count; from += count) {
        if (!check_clock(s, err))
            return false;
        /* A hair less: of equal scores none may be lost to rounding. */
        double similarity_min = titles_alike_similarity(s->best.score_min) - 1e-9;
        count = embedded_sift_titles(sift, &titles, from, similarity_min, &sifted);
        for (; sifted; sifted &= sifted - 1) {
            uint64_t row = from + (uint64_t)__builtin_ctzll(sifted);
            if (bitmap_has(held, row) || (s->among && !bitmap_has(s->among, row)))
                continue;
            offer(&s->best, row,
                  titles_alike_score(
                      titles_trigrams_score(trigrams, column_text(s->titles, row))));
        }
    }
    return true;
}

bool
embedded_titles_search(struct ask *ask, struct str text, uint64_t limit,
                       struct titles_match **out, size_t *out_count, struct err *err)
{
    struct arena *a = ask->arena;
    const struct embedded_version *version = embedded_version_of(ask);
    scoped_buf list;
    struct search s = {
        .titles = &version->columns.columns[version->common.schema.title_index],
        .deadline_us = ask->deadline_us,
        .best = {.list = &list, .limit = limit, .score_min = TITLES_SCORE_MIN},
    };
    buf_init(&list, SIZE_MAX / 2);
    struct str folded = utf8_folded(a, text);
    struct bitmap held = bitmap_new(a, version->row_count);
    if (!embedded_find_among(ask, &s.among, err) || !find_words(a, &s, folded, &held, err) ||
        (s.best.score_min <= titles_alike_score(1) && !find_alike(a, &s, folded, &held, err)))
        return false;
    take_best(a, &s.best, s.titles, folded, out, out_count);
    return true;
}

int
embedded_titles_find(struct ask *ask, struct str text, uint64_t *row, struct err *err)
{
    const struct embedded_version *version = embedded_version_of(ask);
    size_t title = version->common.schema.title_index;
    struct bitmap equal = bitmap_new(ask->arena, version->row_count);
    scan_text(&version->columns.columns[title], MATCH_EQUALS, utf8_folded(ask->arena, text),
              &equal);
    uint64_t first = bitmap_next(&equal, 0);
    if (first >= version->row_count)
        return 0;
    *row = first;
    for (uint64_t at = first; at < version->row_count; at = bitmap_next(&equal, at + 1)) {
        struct value value;
        int got = rows_get(version->rows, at + 1, &title, 1, &value, err);
        if (got == 0)
            (void)err_set(err, ERR_INTERNAL, "rows.db has no row %zu", (size_t)at + 1);
        if (got <= 0)
            return -1;
        if (str_eq(value.text, text)) {
            *row = at;
            return 1;
        }
    }
    return 1;
}
