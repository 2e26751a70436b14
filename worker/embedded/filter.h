/* A filter to the rows that it leaves. */
#pragma once

#include "embedded/version.h"
#include "query/filter.h"

/* The matching rows.  Fails with busy and code deadline past `deadline_us` (steady clock; 0:
 * none). */
MUST_CHECK bool embedded_filter_run(struct arena *a, const struct filter *filter,
                                    const struct embedded_version *version,
                                    uint64_t deadline_us, struct bitmap *out, struct err *err);
