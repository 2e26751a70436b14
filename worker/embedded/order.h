/* The order of a query's rows: by its sort keys, nulls last whatever the direction, ties by row
 * number. */
#pragma once

#include "embedded/version.h"
#include "query/query.h"

struct order {
    const struct query *query;
    const struct column *columns[QUERY_SORT_KEYS_MAX];
};
struct order embedded_order_of(const struct query *query,
                               const struct embedded_version *version);

/* The rows at the places `skip` and on, `limit` of them, of the set in order.  The set has at
 * least so many; `row_count` is how many it has. */
void embedded_order_take_page(const struct order *order, const struct bitmap *rows,
                              uint64_t row_count, size_t skip, size_t limit, uint64_t *out);
