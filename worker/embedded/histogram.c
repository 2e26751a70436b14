#include "query/histogram.h"

#include "base/date.h"
#include "embedded/stats_values.h"

#include <math.h>

bool
histogram_check(const struct schema *schema, size_t index, struct err *err)
{
    const struct schema_column *column = &schema->columns[index];
    scoped_buf able = {.max = 200};
    if (column->type != COLUMN_BOOLEAN && !column_type_is_textual(column->type))
        return true;
    for (size_t i = 0; i < schema->column_count; i++) {
        enum column_type type = schema->columns[i].type;
        if (type == COLUMN_BOOLEAN || column_type_is_textual(type))
            continue;
        buf_add(&able, able.n ? STR(", ") : STR("there are: "));
        buf_add(&able, schema->columns[i].name);
    }
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("column"),
                        "column: numbers and dates have a histogram, '%" STR_FMT
                        "' is of type %s; facets count its values (%" STR_FMT ")",
                        STR_ARG(column->name), column_type_name(column->type),
                        STR_ARG(able.n ? buf_str(&able) : STR("there are none")));
}

static double *
values_as_reals(struct arena *a, const struct stats_values *v)
{
    double per_value = v->column->type == COLUMN_DATE ? (double)DATE_MS_PER_DAY : 1;
    if (v->reals)
        return v->reals;
    double *out = arena_array(a, v->n, double);
    for (size_t i = 0; i < v->n; i++)
        out[i] = (double)v->ints[i] * per_value;
    return out;
}

static void
make_edges(struct histogram *h, double low, double high)
{
    if (low == high) {
        double half = h->is_of_moments ? (double)DATE_MS_PER_DAY / 2 : 0.5;
        low -= half;
        high += half;
    }
    double step = (high - low) / (double)h->bin_count;
    /* NumPy gives up where the range is beyond double. */
    if (!isfinite(step))
        step = high / (double)h->bin_count - low / (double)h->bin_count;
    for (size_t i = 0; i < h->bin_count; i++)
        h->edges[i] = (double)i * step + low;
    h->edges[h->bin_count] = high;
}

/* The division only says where to look; the edges decide. */
static size_t
bin_of(const struct histogram *h, double v, double per_bin)
{
    size_t last = h->bin_count - 1;
    double guess = (v / 2 - h->edges[0] / 2) * 2 * per_bin;
    size_t bin = guess >= (double)last ? last : guess > 0 ? (size_t)guess : 0;
    while (bin > 0 && v < h->edges[bin])
        bin--;
    while (bin < last && v >= h->edges[bin + 1])
        bin++;
    return bin;
}

static void
count_values(struct histogram *h, const double *values, size_t n)
{
    double width = h->edges[h->bin_count] / 2 - h->edges[0] / 2;
    double per_bin = width > 0 ? (double)h->bin_count / 2 / width : 0;
    for (size_t i = 0; i < n; i++)
        h->counts[bin_of(h, values[i], per_bin)]++;
}

void
histogram_make(struct arena *a, const struct column *column, const struct bitmap *rows,
               size_t bin_count, struct histogram *out)
{
    assert(bin_count >= 1 && bin_count <= HISTOGRAM_BINS_MAX);
    struct stats_values v = stats_values_gather(a, column, rows);
    struct stats_request request = {0};
    struct stats_answer *answer = arena_new(a, struct stats_answer);
    struct histogram h = {.values = v.n, .nulls = v.nulls};
    h.is_of_moments = column->type == COLUMN_DATE || column->type == COLUMN_DATETIME;
    *answer = (struct stats_answer){.request = &request, .values = v};
    stats_answer_fill(a, answer, UINT32_C(1) << STATS_MIN | UINT32_C(1) << STATS_MAX);
    h.min = stats_answer_result(answer, STATS_MIN);
    h.max = stats_answer_result(answer, STATS_MAX);
    if (v.n > 0) {
        const double *values = values_as_reals(a, &v);
        double scale = column->type == COLUMN_DATE ? (double)DATE_MS_PER_DAY : 1;
        h.bin_count = bin_count;
        h.edges = arena_array(a, bin_count + 1, double);
        h.counts = arena_array(a, bin_count, uint64_t);
        if (v.reals)
            make_edges(&h, answer->real_min, answer->real_max);
        else
            make_edges(&h, (double)answer->int_min * scale, (double)answer->int_max * scale);
        count_values(&h, values, v.n);
    }
    *out = h;
}

struct stats_result
histogram_edge(const struct histogram *h, size_t i)
{
    if (!h->is_of_moments)
        return stats_result_real(h->edges[i]);
    return (struct stats_result){.kind = STATS_MOMENT, .i = (int64_t)floor(h->edges[i])};
}
