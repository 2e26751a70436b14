/* See stats.h: the answer.  The numbers come from stats_moments and stats_values, each made
 * only when an aggregate that was asked for is read from it. */
#include "datasets/stats.h"

#include "base/date.h"
#include "datasets/stats_moments.h"
#include "datasets/stats_values.h"
#include "json/write.h"

#include <math.h>

#define BIT(aggregate) (UINT32_C(1) << (aggregate))
#define FROM_MOMENTS                                                                           \
    (BIT(STATS_SUM) | BIT(STATS_MEAN) | BIT(STATS_VARIANCE) | BIT(STATS_STD_DEV) |             \
     BIT(STATS_SKEWNESS) | BIT(STATS_KURTOSIS))
#define FROM_RANGE (BIT(STATS_MIN) | BIT(STATS_MAX) | BIT(STATS_RANGE))
#define FROM_ORDER (BIT(STATS_MEDIAN) | BIT(STATS_IQR) | BIT(STATS_PERCENTILES))

static bool
is_calendar(enum column_type type)
{
    return type == COLUMN_DATE || type == COLUMN_DATETIME;
}

/* Everything the aggregates asked for are read from. */
struct answer {
    const struct stats_request *request;
    struct stats_values values;
    uint64_t distinct;
    int64_t int_min, int_max;
    double real_min, real_max;
    int64_t median_floor; /* dates and datetimes */
    __int128 int_sum;
    struct stats_moments moments;
    long double quartiles[3];
    long double percentiles[STATS_PERCENTILES_MAX];
};

static_assert(STATS_PERCENTILES_MAX + 3 <= STATS_QUANTILES_MAX, "all in one selection");

static void
fill_order(struct arena *a, struct answer *answer)
{
    double percents[STATS_QUANTILES_MAX] = {25, 50, 75};
    long double found[STATS_QUANTILES_MAX];
    size_t count = answer->request->percentile_count;
    for (size_t i = 0; i < count; i++)
        percents[3 + i] = answer->request->percentiles[i];
    stats_values_percentiles(a, &answer->values, percents, 3 + count, found);
    for (size_t i = 0; i < 3; i++)
        answer->quartiles[i] = found[i];
    for (size_t i = 0; i < count; i++)
        answer->percentiles[i] = found[3 + i];
}

static void
fill_numbers(struct answer *answer)
{
    const struct stats_values *v = &answer->values;
    if (v->ints) {
        stats_values_int_range(v, &answer->int_min, &answer->int_max);
        answer->int_sum = stats_sum_ints(v->ints, v->n);
        answer->moments = stats_moments_ints(v->ints, v->n, answer->int_sum, answer->int_min,
                                             answer->int_max);
    } else {
        stats_values_real_range(v, &answer->real_min, &answer->real_max);
        answer->moments =
            stats_moments_reals(v->reals, v->n, answer->real_min, answer->real_max);
    }
}

static void
fill_answer(struct arena *a, struct answer *answer, uint32_t asked)
{
    struct stats_values *v = &answer->values;
    if (asked & BIT(STATS_DISTINCT))
        answer->distinct = stats_values_distinct(a, v);
    if (v->n == 0)
        return;
    if (asked & (FROM_RANGE | FROM_MOMENTS))
        fill_numbers(answer);
    /* Last: it uses the values up. */
    if (asked & FROM_ORDER && is_calendar(v->column->type))
        answer->median_floor = stats_values_median_floor(a, v);
    else if (asked & FROM_ORDER)
        fill_order(a, answer);
}

/* null where there is no value, or none within double. */
static void
write_real(struct json *j, double v)
{
    if (isfinite(v))
        json_f64(j, v + 0.0);
    else
        json_null(j);
}

/* An integer in the column's own terms. */
static void
write_int(struct json *j, enum column_type type, int64_t v)
{
    scoped_buf text = {.max = 64};
    if (!is_calendar(type)) {
        json_i64(j, v);
        return;
    }
    if (type == COLUMN_DATE)
        date_add_day(&text, v);
    else
        date_add_moment(&text, v);
    json_str(j, buf_str(&text));
}

static void
write_count(struct json *j, const struct answer *answer)
{
    json_u64(j, answer->values.n);
}

static void
write_nulls(struct json *j, const struct answer *answer)
{
    json_u64(j, answer->values.nulls);
}

static void
write_distinct(struct json *j, const struct answer *answer)
{
    json_u64(j, answer->distinct);
}

static void
write_min(struct json *j, const struct answer *answer)
{
    if (answer->values.reals)
        write_real(j, answer->real_min);
    else
        write_int(j, answer->values.column->type, answer->int_min);
}

static void
write_max(struct json *j, const struct answer *answer)
{
    if (answer->values.reals)
        write_real(j, answer->real_max);
    else
        write_int(j, answer->values.column->type, answer->int_max);
}

static void
write_range(struct json *j, const struct answer *answer)
{
    uint64_t width = (uint64_t)answer->int_max - (uint64_t)answer->int_min;
    if (answer->values.reals)
        write_real(j, answer->real_max - answer->real_min);
    else if (answer->values.column->type == COLUMN_DATETIME)
        write_real(j, (double)width / (double)DATE_MS_PER_DAY);
    else
        json_u64(j, width);
}

static void
write_sum(struct json *j, const struct answer *answer)
{
    __int128 sum = answer->int_sum;
    if (answer->values.ints && sum >= INT64_MIN && sum <= INT64_MAX)
        json_i64(j, (int64_t)sum);
    else
        write_real(j, answer->moments.sum);
}

static void
write_mean(struct json *j, const struct answer *answer)
{
    write_real(j, stats_mean(&answer->moments));
}

static void
write_median(struct json *j, const struct answer *answer)
{
    if (is_calendar(answer->values.column->type))
        write_int(j, answer->values.column->type, answer->median_floor);
    else
        write_real(j, (double)answer->quartiles[1]);
}

static void
write_variance(struct json *j, const struct answer *answer)
{
    write_real(j, stats_variance(&answer->moments, answer->request->ddof));
}

static void
write_std_dev(struct json *j, const struct answer *answer)
{
    write_real(j, stats_std_dev(&answer->moments, answer->request->ddof));
}

static void
write_iqr(struct json *j, const struct answer *answer)
{
    write_real(j, (double)(answer->quartiles[2] - answer->quartiles[0]));
}

static void
write_percentiles(struct json *j, const struct answer *answer)
{
    json_begin_object(j);
    for (size_t i = 0; i < answer->request->percentile_count; i++) {
        json_key_str(j, answer->request->percentile_names[i]);
        write_real(j, answer->values.n ? (double)answer->percentiles[i] : NAN);
    }
    json_end_object(j);
}

static void
write_skewness(struct json *j, const struct answer *answer)
{
    write_real(j, stats_skewness(&answer->moments, answer->request->is_unbiased));
}

static void
write_kurtosis(struct json *j, const struct answer *answer)
{
    write_real(j, stats_kurtosis(&answer->moments, answer->request->is_unbiased));
}

static const struct str WORDS[] = {
#define X(aggregate, word) [aggregate] = STR_INIT(word),
    STATS_AGGREGATES(X)
#undef X
};

static const struct {
    void (*write)(struct json *j, const struct answer *answer);
    bool is_of_none; /* has a value, or a shape, also when nothing is selected */
} AGGREGATES[] = {
    [STATS_COUNT] = {write_count, true},
    [STATS_NULLS] = {write_nulls, true},
    [STATS_DISTINCT] = {write_distinct, true},
    [STATS_MIN] = {write_min, false},
    [STATS_MAX] = {write_max, false},
    [STATS_RANGE] = {write_range, false},
    [STATS_SUM] = {write_sum, false},
    [STATS_MEAN] = {write_mean, false},
    [STATS_MEDIAN] = {write_median, false},
    [STATS_VARIANCE] = {write_variance, false},
    [STATS_STD_DEV] = {write_std_dev, false},
    [STATS_IQR] = {write_iqr, false},
    [STATS_PERCENTILES] = {write_percentiles, true},
    [STATS_SKEWNESS] = {write_skewness, false},
    [STATS_KURTOSIS] = {write_kurtosis, false},
};
static_assert(COUNT_OF(AGGREGATES) == STATS_AGGREGATE_COUNT, "a row for each");

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
    struct answer *answer = arena_new(a, struct answer);
    answer->request = request;
    answer->values = stats_values_gather(&scratch, column, rows);
    fill_answer(&scratch, answer, asked);
    struct json j = json_write(out);
    json_begin_object(&j);
    for (size_t i = 0; i < COUNT_OF(AGGREGATES); i++) {
        if (!(asked & BIT(i)))
            continue;
        json_key_str(&j, WORDS[i]);
        if (answer->values.n || AGGREGATES[i].is_of_none)
            AGGREGATES[i].write(&j, answer);
        else
            json_null(&j);
    }
    json_end_object(&j);
    return !out->is_full ||
           err_set(err, ERR_TOO_LARGE, "the statistics are longer than %zu bytes", out->max);
}
