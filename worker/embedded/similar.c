#include "query/similar.h"

#include "base/clock.h"

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

struct shared {
    double product;
    uint32_t word;
};

/* The words that both vectors have, by what they add to the score. */
static void
share_terms(struct arena *a, const struct tfidf *t, const struct tfidf_vector *x,
            const struct tfidf_vector *y, struct similar_match *match)
{
    struct shared best[SIMILAR_TERMS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0, j = 0; i < x->count && j < y->count;) {
        if (x->terms[i].word != y->terms[j].word) {
            if (x->terms[i].word < y->terms[j].word)
                i++;
            else
                j++;
            continue;
        }
        struct shared s = {x->terms[i].weight * y->terms[j].weight, x->terms[i].word};
        size_t at = count;
        for (; at && best[at - 1].product < s.product; at--)
            best[at] = best[at - 1];
        best[at] = s;
        count = MIN(count + 1, (size_t)SIMILAR_TERMS_MAX);
        i++;
        j++;
    }
    match->terms = arena_array(a, count, struct str);
    match->term_count = count;
    for (size_t i = 0; i < count; i++)
        match->terms[i] = tfidf_word(t, best[i].word);
}

static bool
check(struct arena *a, const struct version *version, size_t **similar, size_t *count,
      struct err *err)
{
    *count = schema_similar_columns(a, &version->schema, similar);
    if (*count == 0)
        return err_set_code(err, ERR_BAD_PARAMETER, "no_similar_columns",
                            "no column of dataset '%" STR_FMT "' is marked similar: true",
                            STR_ARG(version->dataset.name));
    if (!version->tfidf.norms)
        return err_set_code(err, ERR_BUSY, "index_damaged",
                            "the likeness index of dataset '%" STR_FMT
                            "' is missing or damaged; playmeter reindex makes it again",
                            STR_ARG(version->dataset.name));
    return true;
}

bool
similar_find(struct arena *a, const struct version *version, uint64_t row,
             const struct bitmap *candidates, uint64_t limit, uint64_t deadline_us,
             struct similar_match **out, size_t *out_count, struct err *err)
{
    const struct tfidf *t = &version->tfidf;
    size_t *similar, similar_count;
    if (!check(a, version, &similar, &similar_count, err))
        return false;
    assert(limit > 0 && limit <= SIMILAR_LIMIT_MAX);
    struct tfidf_vector query =
        tfidf_row_vector(a, t, &version->columns, similar, similar_count, row);
    double *scores = arena_array(a, version->row_count, double);
    tfidf_score_rows(t, &query, scores);
    struct similar_match *list = arena_array(a, limit, struct similar_match);
    *out_count = pick_best(scores, version->row_count, row, candidates, limit, list);
    for (size_t i = 0; i < *out_count; i++) {
        /* A row may hold a megabyte of text, which is read again. */
        if (clock_is_past(deadline_us))
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
