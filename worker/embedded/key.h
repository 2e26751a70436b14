/* A row by its key.  Keys that ascend are halved; others are found in the version's key index.
 * Text is compared folded first, and what fits is checked against the original bytes in
 * rows.db. */
#pragma once

#include "embedded/version.h"

/* Row index by a key of query_parse_key: 1 found, 0 none, -1 error. */
MUST_CHECK int embedded_key_find(struct arena *a, const struct embedded_version *version,
                                 const struct value *key, uint64_t *row, struct err *err);
