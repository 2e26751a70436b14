/* Rows by their titles. */
#pragma once

#include "embedded/version.h"
#include "query/titles.h"

/* As of the engine.  `among` NULL: all rows; `deadline_us` 0: none. */
MUST_CHECK bool embedded_titles_search(struct arena *a, const struct embedded_version *version,
                                       struct str text, const struct bitmap *among,
                                       uint64_t limit, uint64_t deadline_us,
                                       struct titles_match **out, size_t *out_count,
                                       struct err *err);
MUST_CHECK int embedded_titles_find(struct arena *a, const struct embedded_version *version,
                                    struct str text, uint64_t *row, struct err *err);
