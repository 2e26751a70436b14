/* The order of a query's rows: by its sort keys, nulls last whatever the direction, ties by row
 * number.  Only for query*.c. */
#pragma once

#include "datasets/query.h"

struct order {
    const struct query *query;
    const struct column *columns[QUERY_SORT_KEYS_MAX];
};
struct order order_of(const struct query *query, const struct version *version);

/* The first `wanted` rows of the set in order, or all of them when there are fewer; gives how
 * many.  `out` has room for `wanted`. */
size_t order_take_first(struct arena *a, const struct order *order, const struct bitmap *rows,
                        uint64_t row_count, size_t wanted, uint64_t *out);
