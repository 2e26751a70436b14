/* The rows nearest to a row. */
#pragma once

#include "embedded/version.h"
#include "query/similar.h"

/* As of the engine; `candidates` NULL: all rows, `deadline_us` 0: none. */
MUST_CHECK bool embedded_similar_find(struct arena *a, const struct embedded_version *version,
                                      uint64_t row, const struct bitmap *candidates,
                                      uint64_t limit, uint64_t deadline_us,
                                      struct similar_match **out, size_t *out_count,
                                      struct err *err);
