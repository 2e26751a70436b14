/* Each question finds the rows under the filter first, once for all questions of an ask. */
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

/* The version that was handed out is the first member of ours. */
static const struct embedded_version *
version_of(const struct ask *ask)
{
    return (const struct embedded_version *)ask->version;
}

static bool
find_rows(struct ask *ask, const struct bitmap **out, struct err *err)
{
    const struct embedded_version *version = version_of(ask);
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

/* NULL for all rows: who looks at each row in any case has no use for a bit of each. */
static bool
find_among(struct ask *ask, const struct bitmap **out, struct err *err)
{
    *out = NULL;
    return !ask->filter || ask->filter->predicate_count == 0 || find_rows(ask, out, err);
}

static bool
count_rows(struct ask *ask, uint64_t *total, struct err *err)
{
    const struct bitmap *rows;
    if (!find_rows(ask, &rows, err))
        return false;
    *total = bitmap_count(rows);
    return true;
}

static bool
take_page(struct ask *ask, const struct query *query, struct query_result *out, struct err *err)
{
    const struct bitmap *rows;
    if (!find_rows(ask, &rows, err))
        return false;
    embedded_page_take(ask->arena, query, version_of(ask), rows, out);
    return true;
}

static bool
read_row(struct ask *ask, const struct query *query, const uint64_t *rows, size_t count UNUSED,
         size_t i, const struct value **out, struct err *err)
{
    return embedded_page_row(version_of(ask), query, rows[i], out, err);
}

static int
find_key(struct ask *ask, const struct value *key, uint64_t *row, struct err *err)
{
    return embedded_key_find(ask->arena, version_of(ask), key, row, err);
}

static bool
answer_stats(struct ask *ask, size_t column, const struct stats_request *request,
             struct stats_answer *out, struct err *err)
{
    const struct bitmap *rows;
    if (!find_rows(ask, &rows, err))
        return false;
    embedded_stats_answer(version_of(ask), column, rows, request, out);
    return true;
}

static bool
find_groups(struct ask *ask, const struct groups_question *question, uint64_t offset,
            uint64_t limit, struct groups_result *out, struct err *err)
{
    const struct bitmap *rows;
    return find_rows(ask, &rows, err) &&
           embedded_groups_run(ask->arena, question, version_of(ask), rows, offset, limit,
                               ask->deadline_us, out, err);
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
    if (!find_rows(ask, &rows, err))
        return false;
    embedded_histogram_make(ask->arena, &version_of(ask)->columns.columns[column], rows,
                            bin_count, out);
    return true;
}

static bool
find_similar(struct ask *ask, uint64_t row, uint64_t limit, struct similar_match **out,
             size_t *out_count, struct err *err)
{
    const struct bitmap *among;
    return find_among(ask, &among, err) &&
           embedded_similar_find(ask->arena, version_of(ask), row, among, limit,
                                 ask->deadline_us, out, out_count, err);
}

static int
find_title(struct ask *ask, struct str text, uint64_t *row, struct err *err)
{
    return embedded_titles_find(ask->arena, version_of(ask), text, row, err);
}

static bool
search_titles(struct ask *ask, struct str text, uint64_t limit, struct titles_match **out,
              size_t *out_count, struct err *err)
{
    const struct bitmap *among;
    return find_among(ask, &among, err) &&
           embedded_titles_search(ask->arena, version_of(ask), text, among, limit,
                                  ask->deadline_us, out, out_count, err);
}

const struct engine EMBEDDED_ENGINE = {
    .start = embedded_start,
    .stop = embedded_stop,
    .open = embedded_open,
    .doubt = embedded_doubt,
    .count = count_rows,
    .page = take_page,
    .row = read_row,
    .find_key = find_key,
    .stats = answer_stats,
    .groups = find_groups,
    .group = read_group,
    .histogram = make_histogram,
    .similar = find_similar,
    .find_title = find_title,
    .titles = search_titles,
    .walk = embedded_walk,
};
