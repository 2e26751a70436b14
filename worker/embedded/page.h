/* The rows of a page: which they are, and what they hold. */
#pragma once

#include "embedded/version.h"
#include "query/query.h"

/* `rows` are those under the filter.  Without a sort the order is the rows' own, and a page is
 * found by counting bits. */
void embedded_page_take(struct arena *a, const struct query *query,
                        const struct embedded_version *version, const struct bitmap *rows,
                        struct query_result *out);
/* The fields of a row, in the version's scratch space: valid until it is called again.  Numbers,
 * days and list elements come from the mapped columns file, which is why a page without text
 * never touches SQLite; the original bytes of text are in rows.db.  Nothing is allocated per
 * row. */
MUST_CHECK bool embedded_page_row(const struct embedded_version *version,
                                  const struct query *query, uint64_t row,
                                  const struct value **out, struct err *err);
