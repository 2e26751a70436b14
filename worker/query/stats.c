/* See stats.h: the answer as JSON. */
#include "query/stats.h"

#include "embedded/version.h"
#include "query/stats_answer.h"

#define BIT(aggregate) (UINT32_C(1) << (aggregate))

static const struct str WORDS[] = {
#define X(aggregate, word) [aggregate] = STR_INIT(word),
    STATS_AGGREGATES(X)
#undef X
};

/* An object also when nothing is selected, of nulls then. */
static void
write_percentiles(struct json *j, const struct stats_answer *answer)
{
    json_begin_object(j);
    for (size_t i = 0; i < answer->request->percentile_count; i++) {
        json_key_str(j, answer->request->percentile_names[i]);
        if (answer->values.n)
            stats_result_write(j, stats_result_real((double)answer->percentiles[i]));
        else
            json_null(j);
    }
    json_end_object(j);
}

/* The values are as long as the dataset, so they do not wait for the end of the request. */
static void
compute(struct stats_answer *answer, const struct stats_request *request, uint32_t asked,
        const struct column *column, const struct bitmap *rows)
{
    scoped_arena scratch = {0};
    answer->request = request;
    answer->values = stats_values_gather(&scratch, column, rows);
    if (asked & BIT(STATS_DISTINCT))
        answer->distinct = stats_values_distinct(&scratch, &answer->values);
    stats_answer_fill(&scratch, answer, asked);
    answer->values.ints = NULL;
    answer->values.reals = NULL;
    answer->values.hashes = NULL;
}

static bool
write_answer(struct buf *out, const struct stats_answer *answer, uint32_t asked,
             struct err *err)
{
    struct json j = json_write(out);
    json_begin_object(&j);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++) {
        if (!(asked & BIT(i)))
            continue;
        json_key_str(&j, WORDS[i]);
        if (i == STATS_PERCENTILES)
            write_percentiles(&j, answer);
        else
            stats_result_write(&j, stats_answer_result(answer, (enum stats_aggregate)i));
    }
    json_end_object(&j);
    return !out->is_full ||
           err_set(err, ERR_TOO_LARGE, "the statistics are longer than %zu bytes", out->max);
}

bool
stats_add_json(struct arena *a, struct buf *out, const struct stats_request *request,
               const struct schema_column *schema, const struct column *column,
               const struct bitmap *rows, struct err *err)
{
    assert(schema->type == column->type);
    uint32_t asked = request->aggregates & stats_aggregates_of(column->type);
    struct stats_answer *answer = arena_new(a, struct stats_answer);
    compute(answer, request, asked, column, rows);
    return write_answer(out, answer, asked, err);
}

/* All that is kept: every aggregate, and these percentiles in this order. */
static const struct stats_request KEPT = {
    .aggregates = BIT(STATS_AGGREGATE_COUNT) - 1,
    .percentiles = {25, 50, 75},
    .percentile_count = 3,
};

static bool
is_kept(const struct stats_request *request)
{
    if (!(request->aggregates & BIT(STATS_PERCENTILES)))
        return true;
    bool is_same = request->percentile_count == KEPT.percentile_count;
    for (size_t i = 0; is_same && i < KEPT.percentile_count; i++)
        is_same = request->percentiles[i] == KEPT.percentiles[i];
    return is_same;
}

bool
stats_add_version_json(struct arena *a, struct buf *out, const struct stats_request *request,
                       const struct version *version, size_t index, const struct bitmap *rows,
                       struct err *err)
{
    const struct column *column = &version->columns.columns[index];
    if (!is_kept(request) || bitmap_count(rows) < version->row_count)
        return stats_add_json(a, out, request, &version->schema.columns[index], column, rows,
                              err);
    uint32_t all = stats_aggregates_of(column->type);
    struct stats_answer **kept = &version->stats->answers[index];
    if (!*kept) {
        *kept = arena_new(&version->stats->arena, struct stats_answer);
        compute(*kept, &KEPT, all, column, rows);
    }
    /* ddof and bias are the request's; what they apply to is kept. */
    struct stats_answer answer = **kept;
    answer.request = request;
    return write_answer(out, &answer, request->aggregates & all, err);
}
