/* The aggregates of groups, item by item and only for the groups that are asked for.  Only for
 * groups*.c. */
#pragma once

#include "embedded/groups_pairs.h"

struct embedded_groups {
    const struct embedded_version *version;
    const struct groups_question *question;
    const struct groups_pairs *pairs;
    const uint32_t *groups; /* of the page, in order; numbers inside pairs */
    struct stats_result *values[GROUPS_ITEMS_MAX]; /* by item and group number */
};

/* Does any item need to see its groups' rows? */
bool embedded_groups_values_need_rows(const struct groups_question *question,
                                      const struct embedded_version *version);
/* Fills result->values of the items whose bit is set and that are not filled yet, for the
 * groups listed. */
MUST_CHECK bool embedded_groups_values_fill(struct arena *a, struct embedded_groups *result,
                                            uint32_t items, const struct bitmap *rows,
                                            const uint32_t *groups, size_t group_count,
                                            uint64_t deadline_us, struct err *err);
