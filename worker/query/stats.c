/* The answer as JSON. */
#include "query/stats_answer.h"

#define BIT(aggregate) (UINT32_C(1) << (aggregate))

/* An object also when nothing is selected, of nulls then. */
static void
write_percentiles(struct json *j, const struct stats_answer *answer)
{
    json_begin_object(j);
    for (size_t i = 0; i < answer->request->percentile_count; i++) {
        json_key_str(j, answer->request->percentile_names[i]);
        if (answer->count)
            stats_result_write(j, stats_result_real((double)answer->percentiles[i]));
        else
            json_null(j);
    }
    json_end_object(j);
}

bool
stats_add_json(struct buf *out, const struct stats_answer *answer, struct err *err)
{
    uint32_t asked = answer->request->aggregates & stats_aggregates_of(answer->type);
    struct json j = json_write(out);
    json_begin_object(&j);
    for (enum stats_aggregate i = 0; i < STATS_AGGREGATE_COUNT; i++) {
        if (!(asked & BIT(i)))
            continue;
        json_key_str(&j, stats_aggregate_name(i));
        if (i == STATS_PERCENTILES)
            write_percentiles(&j, answer);
        else
            stats_result_write(&j, stats_answer_result(answer, i));
    }
    json_end_object(&j);
    return !out->is_full ||
           err_set(err, ERR_TOO_LARGE, "the statistics are longer than %zu bytes", out->max);
}
