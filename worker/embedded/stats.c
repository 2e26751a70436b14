/* The numbers come from stats_moments and stats_values, each made only when an aggregate that
 * was asked for is read from it. */
#include "embedded/stats.h"

#include "embedded/stats_moments.h"

#define BIT(aggregate) (UINT32_C(1) << (aggregate))
#define FROM_MOMENTS                                                                           \
    (BIT(STATS_SUM) | BIT(STATS_MEAN) | BIT(STATS_VARIANCE) | BIT(STATS_STD_DEV) |             \
     BIT(STATS_SKEWNESS) | BIT(STATS_KURTOSIS))
#define FROM_RANGE (BIT(STATS_MIN) | BIT(STATS_MAX) | BIT(STATS_RANGE))
#define FROM_ORDER (BIT(STATS_MEDIAN) | BIT(STATS_IQR) | BIT(STATS_PERCENTILES))

static_assert(STATS_PERCENTILES_MAX + 3 <= STATS_QUANTILES_MAX, "all in one selection");

static void
fill_order(struct arena *a, struct stats_answer *answer, struct stats_values *v, uint32_t asked)
{
    double percents[STATS_QUANTILES_MAX] = {25, 50, 75};
    long double found[STATS_QUANTILES_MAX];
    size_t count = asked & BIT(STATS_PERCENTILES) ? answer->request->percentile_count : 0;
    for (size_t i = 0; i < count; i++)
        percents[3 + i] = answer->request->percentiles[i];
    embedded_stats_values_percentiles(a, v, percents, 3 + count, found);
    for (size_t i = 0; i < 3; i++)
        answer->quartiles[i] = found[i];
    for (size_t i = 0; i < count; i++)
        answer->percentiles[i] = found[3 + i];
}

static void
fill_numbers(struct stats_answer *answer, const struct stats_values *v, uint32_t asked)
{
    if (v->ints)
        embedded_stats_values_int_range(v, &answer->int_min, &answer->int_max);
    else
        embedded_stats_values_real_range(v, &answer->real_min, &answer->real_max);
    if (!(asked & FROM_MOMENTS))
        return;
    if (v->ints) {
        answer->int_sum = embedded_stats_sum_ints(v->ints, v->n);
        answer->moments = embedded_stats_moments_ints(v->ints, v->n, answer->int_sum,
                                                      answer->int_min, answer->int_max);
    } else {
        answer->moments =
            embedded_stats_moments_reals(v->reals, v->n, answer->real_min, answer->real_max);
    }
}

void
embedded_stats_fill(struct arena *a, struct stats_answer *answer, struct stats_values *v,
                    uint32_t asked)
{
    answer->type = v->column->type;
    answer->count = v->n;
    answer->nulls = v->nulls;
    if (v->n == 0)
        return;
    if (asked & (FROM_RANGE | FROM_MOMENTS))
        fill_numbers(answer, v, asked);
    /* Last: it uses the values up. */
    if (!(asked & FROM_ORDER))
        return;
    if (answer->type == COLUMN_DATE || answer->type == COLUMN_DATETIME)
        answer->median_floor = embedded_stats_values_median_floor(a, v);
    else
        fill_order(a, answer, v, asked);
}

/* The values are as long as the dataset, so they do not wait for the end of the request. */
void
embedded_stats_of(const struct column *column, const struct bitmap *rows,
                  const struct stats_request *request, struct stats_answer *out)
{
    scoped_arena scratch = {0};
    uint32_t asked = request->aggregates & stats_aggregates_of(column->type);
    struct stats_values values = embedded_stats_values_gather(&scratch, column, rows);
    *out = (struct stats_answer){.request = request};
    if (asked & BIT(STATS_DISTINCT))
        out->distinct = embedded_stats_values_distinct(&scratch, &values);
    embedded_stats_fill(&scratch, out, &values, asked);
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

void
embedded_stats_answer(const struct embedded_version *version, size_t index,
                      const struct bitmap *rows, const struct stats_request *request,
                      struct stats_answer *out)
{
    const struct column *column = &version->columns.columns[index];
    if (!is_kept(request) || bitmap_count(rows) < version->row_count) {
        embedded_stats_of(column, rows, request, out);
        return;
    }
    struct stats_answer **kept = &version->stats->answers[index];
    if (!*kept) {
        *kept = arena_new(&version->stats->arena, struct stats_answer);
        embedded_stats_of(column, rows, &KEPT, *kept);
    }
    /* ddof and bias are the request's; what they apply to is kept. */
    *out = **kept;
    out->request = request;
}
