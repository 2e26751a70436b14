#include "embedded/similar.h"

#include "base/clock.h"
#include "embedded/engine.h"

#include <string.h>

/* Inserts into a list in order, which is short; the last one falls off a full list. */
static size_t
insert(struct similar_match *list, size_t count, uint64_t limit, struct similar_match match)
{
    size_t at = count;
    while (at && list[at - 1].score < match.score)
        at--;
    if (at >= limit)
        return count;
    size_t moved = MIN(count, limit - 1) - at;
    memmove(list + at + 1, list + at, moved * sizeof(*list));
    list[at] = match;
    return MIN(count + 1, limit);
}

static size_t
pick_best(const double *scores, uint64_t row_count, uint64_t self,
          const struct bitmap *candidates, uint64_t limit, struct similar_match *list)
{
    size_t count = 0;
    double least = 0;
    for (uint64_t row = 0; row < row_count; row++) {
        /* Most rows end here; an equal score does not displace a row before it, and what is not
         * a number (of a damaged file) none. */
        if (!(scores[row] > least) || row == self ||
            (candidates && !bitmap_has(candidates, row)))
            continue;
        count = insert(list, count, limit,
                       (struct similar_match){.row = row, .score = scores[row]});
        least = count == limit ? list[count - 1].score : 0;
    }
    return count;
}

static const struct similar_term *
terms_of(struct arena *a, const struct tfidf_vector *vector)
{
    struct similar_term *terms = arena_array(a, vector->count, struct similar_term);
    for (size_t i = 0; i < vector->count; i++)
        terms[i] = (struct similar_term){vector->terms[i].word, vector->terms[i].weight};
    return terms;
}

/* The words that both have, by what they add to the score. */
static void
share_terms(struct arena *a, const struct tfidf *t, const struct tfidf_vector *x,
            const struct tfidf_vector *y, struct similar_match *match)
{
    uint32_t words[SIMILAR_TERMS_MAX];
    match->term_count =
        similar_share(terms_of(a, x), x->count, terms_of(a, y), y->count, words);
    match->terms = arena_array(a, match->term_count, struct str);
    for (size_t i = 0; i < match->term_count; i++)
        match->terms[i] = tfidf_word(t, words[i]);
}

bool
embedded_similar_find(struct ask *ask, uint64_t row, uint64_t limit, struct similar_match **out,
                      size_t *out_count, struct err *err)
{
    struct arena *a = ask->arena;
    const struct embedded_version *version = embedded_version_of(ask);
    const struct bitmap *candidates;
    const struct tfidf *t = &version->tfidf;
    size_t *similar, similar_count;
    if (!embedded_find_among(ask, &candidates, err) ||
        !similar_columns(a, &version->common, &similar, &similar_count, err))
        return false;
    if (!t->norms)
        return err_set_code(err, ERR_BUSY, "index_damaged",
                            "the likeness index of dataset '%" STR_FMT
                            "' is missing or damaged; playmeter reindex makes it again",
                            STR_ARG(version->common.dataset.name));
    assert(limit > 0 && limit <= SIMILAR_LIMIT_MAX);
    struct tfidf_vector query =
        tfidf_row_vector(a, t, &version->columns, similar, similar_count, row);
    double *scores = arena_array(a, version->row_count, double);
    tfidf_score_rows(t, &query, scores);
    struct similar_match *list = arena_array(a, limit, struct similar_match);
    *out_count = pick_best(scores, version->row_count, row, candidates, limit, list);
    for (size_t i = 0; i < *out_count; i++) {
        /* A row may hold a megabyte of text, which is read again. */
        if (clock_is_past(ask->deadline_us))
            return err_set_code(err, ERR_BUSY, "deadline",
                                "likeness took longer than a request may; ask for fewer rows");
        struct tfidf_vector other =
            tfidf_row_vector(a, t, &version->columns, similar, similar_count, list[i].row);
        share_terms(a, t, &query, &other, &list[i]);
        /* Rounding may leave a row and its twin a hair above. */
        list[i].score = MIN(list[i].score, 1);
    }
    *out = list;
    return true;
}
