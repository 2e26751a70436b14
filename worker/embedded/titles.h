/* Rows by their titles. */
#pragma once

#include "embedded/version.h"
#include "query/titles.h"

/* Both as of the engine. */
MUST_CHECK bool embedded_titles_search(struct ask *ask, struct str text, uint64_t limit,
                                       struct titles_match **out, size_t *out_count,
                                       struct err *err);
MUST_CHECK int embedded_titles_find(struct ask *ask, struct str text, uint64_t *row,
                                    struct err *err);
