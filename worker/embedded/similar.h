/* The rows nearest to a row. */
#pragma once

#include "embedded/version.h"
#include "query/similar.h"

/* As of the engine. */
MUST_CHECK bool embedded_similar_find(struct ask *ask, uint64_t row, uint64_t limit,
                                      struct similar_match **out, size_t *out_count,
                                      struct err *err);
