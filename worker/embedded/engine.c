#include "embedded/engine.h"

#include "embedded/filter.h"
#include "embedded/groups.h"
#include "embedded/histogram.h"
#include "embedded/key.h"
#include "embedded/page.h"
#include "embedded/similar.h"
#include "embedded/stats.h"
#include "embedded/titles.h"
#include "query/filter_tree.h"

bool
embedded_find_rows(struct ask *ask, const struct bitmap **out, struct err *err)
{
    const struct embedded_version *version = embedded_version_of(ask);
    struct bitmap *rows = NULL;
    if (!ask->found) {
        rows = arena_new(ask->arena, struct bitmap);
        if (!ask->filter)
            *rows = bitmap_new_full(ask->arena, version->row_count);
        else if (!embedded_filter_run(ask->arena, ask->filter, version, ask->deadline_us, rows,
                                      err))
            return false;
        ask->found = rows;
    }
    *out = ask->found;
    return true;
}

bool
embedded_find_among(struct ask *ask, const struct bitmap **out, struct err *err)
{
    *out = NULL;
    return !ask->filter || ask->filter->predicate_count == 0 ||
           embedded_find_rows(ask, out, err);
}

static bool
count_rows(struct ask *ask, uint64_t *total, struct err *err)
{
    const struct bitmap *rows;
    if (!embedded_find_rows(ask, &rows, err))
        return false;
    *total = bitmap_count(rows);
    return true;
}

static int
find_key(struct ask *ask, const struct value *key, uint64_t *row, struct err *err)
{
    return embedded_key_find(ask->arena, embedded_version_of(ask), key, row, err);
}

static bool
answer_stats(struct ask *ask, size_t column, const struct stats_request *request,
             struct stats_answer *out, struct err *err)
{
    const struct bitmap *rows;
    if (!embedded_find_rows(ask, &rows, err))
        return false;
    embedded_stats_answer(embedded_version_of(ask), column, rows, request, out);
    return true;
}

static bool
find_groups(struct ask *ask, const struct groups_question *question, uint64_t offset,
            uint64_t limit, struct groups_result *out, struct err *err)
{
    const struct bitmap *rows;
    return embedded_find_rows(ask, &rows, err) &&
           embedded_groups_run(ask->arena, question, embedded_version_of(ask), rows, offset,
                               limit, ask->deadline_us, out, err);
}

static bool
read_group(struct ask *ask UNUSED, const struct groups_result *result, size_t i,
           struct groups_group *out, struct err *err)
{
    return embedded_groups_read(result, i, out, err);
}

static bool
make_histogram(struct ask *ask, size_t column, size_t bin_count, struct histogram *out,
               struct err *err)
{
    const struct bitmap *rows;
    if (!embedded_find_rows(ask, &rows, err))
        return false;
    embedded_histogram_make(ask->arena, &embedded_version_of(ask)->columns.columns[column],
                            rows, bin_count, out);
    return true;
}

const struct engine EMBEDDED_ENGINE = {
    .start = embedded_start,
    .stop = embedded_stop,
    .open = embedded_open,
    .doubt = embedded_doubt,
    .count = count_rows,
    .page = embedded_page_take,
    .row = embedded_page_row,
    .find_key = find_key,
    .stats = answer_stats,
    .groups = find_groups,
    .group = read_group,
    .histogram = make_histogram,
    .similar = embedded_similar_find,
    .find_title = embedded_titles_find,
    .titles = embedded_titles_search,
    .walk = embedded_walk,
};
