#include "query/stats_answer.h"

#include "base/date.h"
#include "base/num.h"

#include <math.h>

static bool
is_real(const struct stats_answer *answer)
{
    return answer->type == COLUMN_REAL;
}

struct stats_result
stats_result_real(double v)
{
    if (!isfinite(v))
        return (struct stats_result){.kind = STATS_NONE};
    return (struct stats_result){.kind = STATS_REAL, .d = v + 0.0};
}

static struct stats_result
result_of_count(uint64_t v)
{
    return (struct stats_result){.kind = STATS_UINT, .u = v};
}

/* An integer in the column's own terms. */
static struct stats_result
result_of_int(const struct stats_answer *answer, int64_t v)
{
    enum column_type type = answer->type;
    return (struct stats_result){.kind = type == COLUMN_DATE       ? STATS_DAY
                                         : type == COLUMN_DATETIME ? STATS_MOMENT
                                                                   : STATS_INT,
                                 .i = v};
}

static struct stats_result
result_of_count_of_values(const struct stats_answer *answer)
{
    return result_of_count(answer->count);
}

static struct stats_result
result_of_nulls(const struct stats_answer *answer)
{
    return result_of_count(answer->nulls);
}

static struct stats_result
result_of_distinct(const struct stats_answer *answer)
{
    return result_of_count(answer->distinct);
}

static struct stats_result
result_of_min(const struct stats_answer *answer)
{
    return is_real(answer) ? stats_result_real(answer->real_min)
                           : result_of_int(answer, answer->int_min);
}

static struct stats_result
result_of_max(const struct stats_answer *answer)
{
    return is_real(answer) ? stats_result_real(answer->real_max)
                           : result_of_int(answer, answer->int_max);
}

static struct stats_result
result_of_range(const struct stats_answer *answer)
{
    uint64_t width = (uint64_t)answer->int_max - (uint64_t)answer->int_min;
    if (is_real(answer))
        return stats_result_real(answer->real_max - answer->real_min);
    if (answer->type == COLUMN_DATETIME)
        return stats_result_real((double)width / (double)DATE_MS_PER_DAY);
    return result_of_count(width);
}

static struct stats_result
result_of_sum(const struct stats_answer *answer)
{
    __int128 sum = answer->int_sum;
    if (!is_real(answer) && sum >= INT64_MIN && sum <= INT64_MAX)
        return (struct stats_result){.kind = STATS_INT, .i = (int64_t)sum};
    return stats_result_real(answer->moments.sum);
}

static struct stats_result
result_of_mean(const struct stats_answer *answer)
{
    return stats_result_real(stats_mean(&answer->moments));
}

static struct stats_result
result_of_median(const struct stats_answer *answer)
{
    bool is_calendar = answer->type == COLUMN_DATE || answer->type == COLUMN_DATETIME;
    return is_calendar ? result_of_int(answer, answer->median_floor)
                       : stats_result_real((double)answer->quartiles[1]);
}

static struct stats_result
result_of_variance(const struct stats_answer *answer)
{
    return stats_result_real(stats_variance(&answer->moments, answer->request->ddof));
}

static struct stats_result
result_of_std_dev(const struct stats_answer *answer)
{
    return stats_result_real(stats_std_dev(&answer->moments, answer->request->ddof));
}

static struct stats_result
result_of_iqr(const struct stats_answer *answer)
{
    return stats_result_real((double)(answer->quartiles[2] - answer->quartiles[0]));
}

static struct stats_result
result_of_skewness(const struct stats_answer *answer)
{
    return stats_result_real(stats_skewness(&answer->moments, answer->request->is_unbiased));
}

static struct stats_result
result_of_kurtosis(const struct stats_answer *answer)
{
    return stats_result_real(stats_kurtosis(&answer->moments, answer->request->is_unbiased));
}

static const struct {
    struct stats_result (*result)(const struct stats_answer *answer);
    bool is_of_none; /* has a value also when nothing is selected */
} AGGREGATES[STATS_AGGREGATE_COUNT] = {
    [STATS_COUNT] = {result_of_count_of_values, true},
    [STATS_NULLS] = {result_of_nulls, true},
    [STATS_DISTINCT] = {result_of_distinct, true},
    [STATS_MIN] = {result_of_min, false},
    [STATS_MAX] = {result_of_max, false},
    [STATS_RANGE] = {result_of_range, false},
    [STATS_SUM] = {result_of_sum, false},
    [STATS_MEAN] = {result_of_mean, false},
    [STATS_MEDIAN] = {result_of_median, false},
    [STATS_VARIANCE] = {result_of_variance, false},
    [STATS_STD_DEV] = {result_of_std_dev, false},
    [STATS_IQR] = {result_of_iqr, false},
    [STATS_SKEWNESS] = {result_of_skewness, false},
    [STATS_KURTOSIS] = {result_of_kurtosis, false},
};

struct stats_result
stats_answer_result(const struct stats_answer *answer, enum stats_aggregate aggregate)
{
    assert(AGGREGATES[aggregate].result);
    if (answer->count == 0 && !AGGREGATES[aggregate].is_of_none)
        return (struct stats_result){.kind = STATS_NONE};
    return AGGREGATES[aggregate].result(answer);
}

void
stats_result_add_text(struct buf *out, struct stats_result result)
{
    switch (result.kind) {
    case STATS_NONE:
        break;
    case STATS_INT:
        num_add_i64(out, result.i);
        break;
    case STATS_UINT:
        buf_printf(out, "%llu", (unsigned long long)result.u);
        break;
    case STATS_REAL:
        num_add_f64(out, result.d);
        break;
    case STATS_DAY:
        date_add_day(out, result.i);
        break;
    case STATS_MOMENT:
        date_add_timestamp(out, result.i);
        break;
    }
}

void
stats_result_write(struct json *j, struct stats_result result)
{
    scoped_buf text = {.max = 64};
    stats_result_add_text(&text, result);
    if (result.kind == STATS_NONE)
        json_null(j);
    else if (result.kind == STATS_DAY || result.kind == STATS_MOMENT)
        json_str(j, buf_str(&text));
    else
        json_raw(j, buf_str(&text));
}
