/* See stats.h: the answer as JSON. */
#include "datasets/stats.h"

#include "datasets/stats_answer.h"

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

bool
stats_add_json(struct arena *a, struct buf *out, const struct stats_request *request,
               const struct schema_column *schema, const struct column *column,
               const struct bitmap *rows, struct err *err)
{
    assert(schema->type == column->type);
    /* A column's values are as long as the dataset, so they do not wait for the request's end.
     */
    scoped_arena scratch = {0};
    uint32_t asked = request->aggregates & stats_aggregates_of(column->type);
    struct stats_answer *answer = arena_new(a, struct stats_answer);
    answer->request = request;
    answer->values = stats_values_gather(&scratch, column, rows);
    if (asked & BIT(STATS_DISTINCT))
        answer->distinct = stats_values_distinct(&scratch, &answer->values);
    stats_answer_fill(&scratch, answer, asked);
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
