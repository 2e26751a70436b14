#include "query/titles.h"

#include "query/engine.h"

#include <stdlib.h>

static bool
check(const struct version *version, struct str text, struct err *err)
{
    if (version->schema.title_index == SCHEMA_ROW_NUMBER)
        return err_set_code(err, ERR_BAD_PARAMETER, "no_title",
                            "dataset '%" STR_FMT "' has no title column to look in",
                            STR_ARG(version->dataset.name));
    if (text.n == 0 || text.n > TITLES_QUERY_BYTES_MAX)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("name"),
                            "name has 1 to %d bytes, got %zu", TITLES_QUERY_BYTES_MAX, text.n);
    return true;
}

bool
titles_search(struct ask *ask, struct str text, uint64_t limit, struct titles_match **out,
              size_t *out_count, struct err *err)
{
    return check(ask->version, text, err) &&
           ask->engine->titles(ask, text, limit, out, out_count, err);
}

bool
titles_resolve(const struct ask *ask, struct str text, struct titles_match *out,
               struct err *err)
{
    struct titles_match *best;
    size_t count;
    struct ask all = *ask;
    all.filter = NULL;
    all.found = NULL;
    if (!check(ask->version, text, err))
        return false;
    int got = ask->engine->find_title(&all, text, &out->row, err);
    out->score = 1;
    if (got != 0)
        return got > 0;
    if (!ask->engine->titles(&all, text, 1, &best, &count, err))
        return false;
    if (count == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("name"),
                            "no title in dataset '%" STR_FMT "' is like '%" STR_FMT "'",
                            STR_ARG(ask->version->dataset.name), STR_ARG(text));
    *out = best[0];
    return true;
}

static int
compare_candidates(const void *a, const void *b)
{
    const struct titles_candidate *x = a, *y = b;
    if (x->match.score != y->match.score)
        return x->match.score > y->match.score ? -1 : 1;
    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->match.row < y->match.row ? -1 : x->match.row > y->match.row;
}

void
titles_rank(struct titles_candidate *list, size_t count, struct str folded)
{
    for (size_t i = 0; i < count; i++)
        list[i].distance = str_distance(folded, list[i].title);
    if (count)
        qsort(list, count, sizeof(*list), compare_candidates);
}
