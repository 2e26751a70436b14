/* The rows of a page: which they are, and what they hold. */
#pragma once

#include "embedded/version.h"
#include "query/query.h"

/* Both as of the engine.  Without a sort the order is the rows' own, and a page is found by
 * counting bits. */
MUST_CHECK bool embedded_page_take(struct ask *ask, const struct query *query,
                                   struct query_result *out, struct err *err);
/* Numbers, days and list elements come from the mapped columns file, which is why a page
 * without text never touches SQLite; the original bytes of text are in rows.db.  Nothing is
 * allocated per row: the fields are in the version's scratch space. */
MUST_CHECK bool embedded_page_row(struct ask *ask, const struct query *query,
                                  const uint64_t *rows, size_t count, size_t i,
                                  const struct value **out, struct err *err);
