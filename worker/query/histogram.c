#include "query/histogram.h"

#include "base/date.h"

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

void
histogram_set_edges(struct histogram *h, double low, double high)
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

struct stats_result
histogram_edge(const struct histogram *h, size_t i)
{
    if (!h->is_of_moments)
        return stats_result_real(h->edges[i]);
    return (struct stats_result){.kind = STATS_MOMENT, .i = (int64_t)floor(h->edges[i])};
}
