/* The engine of column files: a version is a folder of rows.db and files made from it, answered
 * from by memory maps (version.h). */
#pragma once

#include "index/bitmap.h"
#include "query/engine.h"

/* The rows under the filter, found once for all questions of an ask. */
MUST_CHECK bool embedded_find_rows(struct ask *ask, const struct bitmap **out, struct err *err);
/* NULL for all rows: who looks at each row in any case has no use for a bit of each. */
MUST_CHECK bool embedded_find_among(struct ask *ask, const struct bitmap **out,
                                    struct err *err);

extern const struct engine EMBEDDED_ENGINE;
