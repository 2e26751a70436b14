#include "embedded/histogram.h"

#include "base/date.h"
#include "embedded/stats.h"

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
embedded_histogram_make(struct arena *a, const struct column *column, const struct bitmap *rows,
                        size_t bin_count, struct histogram *out)
{
    assert(bin_count >= 1 && bin_count <= HISTOGRAM_BINS_MAX);
    struct stats_values v = embedded_stats_values_gather(a, column, rows);
    struct stats_request request = {0};
    struct stats_answer answer = {.request = &request};
    struct histogram h = {.values = v.n, .nulls = v.nulls};
    h.is_of_moments = column->type == COLUMN_DATE || column->type == COLUMN_DATETIME;
    embedded_stats_fill(a, &answer, &v, UINT32_C(1) << STATS_MIN | UINT32_C(1) << STATS_MAX);
    h.min = stats_answer_result(&answer, STATS_MIN);
    h.max = stats_answer_result(&answer, STATS_MAX);
    if (v.n > 0) {
        const double *values = values_as_reals(a, &v);
        double scale = column->type == COLUMN_DATE ? (double)DATE_MS_PER_DAY : 1;
        h.bin_count = bin_count;
        h.edges = arena_array(a, bin_count + 1, double);
        h.counts = arena_array(a, bin_count, uint64_t);
        if (v.reals)
            histogram_set_edges(&h, answer.real_min, answer.real_max);
        else
            histogram_set_edges(&h, (double)answer.int_min * scale,
                                (double)answer.int_max * scale);
        count_values(&h, values, v.n);
    }
    *out = h;
}
