/* Rows to groups. */
#pragma once

#include "embedded/version.h"
#include "query/groups.h"

/* `rows` are those under the filter; `limit` 0: all.  Errors: bad_parameter with code
 * too_many_groups; busy with code deadline. */
MUST_CHECK bool embedded_groups_run(struct arena *a, const struct groups_question *question,
                                    const struct embedded_version *version,
                                    const struct bitmap *rows, uint64_t offset, uint64_t limit,
                                    uint64_t deadline_us, struct groups_result *out,
                                    struct err *err);
/* Group `i` of the page; its text is valid until the next call, as is what else is read from
 * rows.db. */
MUST_CHECK bool embedded_groups_read(const struct groups_result *result, size_t i,
                                     struct groups_group *out, struct err *err);
