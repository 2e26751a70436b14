/* Titles that hold the words are found by a scan for the longest of them.  They
 * outrank what only resembles the text, so the pass over all titles is left out where they fill
 * the list already. */
#include "query/titles.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "index/scan.h"
#include "query/titles_trigrams.h"
#include "query/titles_words.h"

#include <stdlib.h>

#define ROWS_PER_LOOK 64 /* at the clock; titles may be long */

/* ---- the best ---- */

struct candidate {
    struct title_match match;
    size_t distance;
};

/* The candidates so far; what is below `score_min` cannot get among the `limit` best. */
struct best {
    struct buf *list; /* struct candidate */
    size_t prune_at;  /* candidates */
    uint64_t limit;
    double score_min;
};

static struct candidate *
candidates_of(const struct best *best, size_t *count)
{
    *count = best->list->n / sizeof(struct candidate);
    return (void *)best->list->p;
}

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

/* Keeps the `limit` best, and those that have the score of the last of them. */
static void
prune(struct best *best)
{
    size_t count;
    struct candidate *list = candidates_of(best, &count);
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
    struct candidate c = {.match = {row, score}};
    if (score < best->score_min)
        return;
    buf_add(best->list, (struct str){(const char *)&c, sizeof(c)});
    if (best->list->n >= best->prune_at * sizeof(c))
        prune(best);
}

/* Distances matter only among equal scores, down to that of the last one. */
static void
take_best(struct arena *a, struct best *best, const struct column *titles, struct str folded,
          struct title_match **out, size_t *out_count)
{
    size_t count;
    prune(best);
    struct candidate *list = candidates_of(best, &count);
    for (size_t i = 0; i < count; i++)
        list[i].distance = str_distance(folded, column_text(titles, list[i].match.row));
    if (count)
        qsort(list, count, sizeof(*list), compare_candidates);
    *out_count = MIN(count, best->limit);
    *out = arena_array(a, *out_count, struct title_match);
    for (size_t i = 0; i < *out_count; i++)
        (*out)[i] = list[i].match;
}

/* ---- looking ---- */

struct title_search {
    const struct column *titles;
    const struct bitmap *among; /* NULL: all rows */
    uint64_t deadline_us;
    struct best best;
};

static bool
check_clock(const struct title_search *s, struct err *err)
{
    return !clock_is_past(s->deadline_us) ||
           err_set_code(err, ERR_BUSY, "deadline",
                        "looking through the titles took longer than a request may");
}

/* Leaves in `held` the rows that it offers. */
static bool
find_words(struct arena *a, struct title_search *s, struct str folded, struct bitmap *held,
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

/* 0.2 to 0.6, below whatever holds the words. */
static double
score_of(double similarity)
{
    return 0.1 + similarity / 2;
}

static bool
find_alike(struct arena *a, struct title_search *s, struct str folded,
           const struct bitmap *held, struct err *err)
{
    const struct titles_trigrams *trigrams = titles_trigrams_of(a, folded);
    size_t count;
    for (uint64_t from = 0, sifted; from < s->titles->row_count; from += count) {
        if (!check_clock(s, err))
            return false;
        /* A hair less: of equal scores none may be lost to rounding. */
        double similarity_min = 2 * (s->best.score_min - 0.1) - 1e-9;
        count = titles_trigrams_sift(trigrams, s->titles, from, similarity_min, &sifted);
        for (; sifted; sifted &= sifted - 1) {
            uint64_t row = from + (uint64_t)__builtin_ctzll(sifted);
            if (bitmap_has(held, row) || (s->among && !bitmap_has(s->among, row)))
                continue;
            offer(&s->best, row,
                  score_of(titles_trigrams_score(trigrams, column_text(s->titles, row))));
        }
    }
    return true;
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
titles_search(struct arena *a, const struct version *version, struct str text,
              const struct bitmap *among, uint64_t limit, uint64_t deadline_us,
              struct title_match **out, size_t *out_count, struct err *err)
{
    scoped_buf list;
    struct title_search s = {
        .among = among,
        .deadline_us = deadline_us,
        .best = {.list = &list, .limit = limit, .score_min = TITLES_SCORE_MIN},
    };
    buf_init(&list, SIZE_MAX / 2);
    if (!check(version, text, &s.titles, err))
        return false;
    struct str folded = utf8_folded(a, text);
    struct bitmap held = bitmap_new(a, version->row_count);
    if (!find_words(a, &s, folded, &held, err) ||
        (s.best.score_min <= score_of(1) && !find_alike(a, &s, folded, &held, err)))
        return false;
    take_best(a, &s.best, s.titles, folded, out, out_count);
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
    scan_text(&version->columns.columns[title], MATCH_EQUALS, utf8_folded(a, text), &equal);
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
    if (!titles_search(a, version, text, NULL, 1, deadline_us, &best, &count, err))
        return false;
    if (count == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("name"),
                            "no title in dataset '%" STR_FMT "' is like '%" STR_FMT "'",
                            STR_ARG(version->dataset.name), STR_ARG(text));
    *out = best[0];
    return true;
}
