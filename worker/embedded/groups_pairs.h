/* Which rows lie in which group: the groups numbered, their rows counted and, where aggregates
 * need them, listed. */
#pragma once

#include "embedded/groups_codes.h"

struct groups_pairs {
    struct groups_codes codes[GROUPS_KEYS_MAX]; /* of the keys */
    size_t key_count;
    uint32_t count;                    /* groups; none is empty */
    uint32_t (*keys)[GROUPS_KEYS_MAX]; /* codes per group */
    uint32_t *row_counts;              /* per group */
    uint32_t row_count_max;            /* of the largest */
    /* The rows of group g are rows[starts[g]] up to rows[starts[g + 1]], ascending; NULL where
     * not asked for. */
    uint32_t *starts, *rows;
};

/* Errors: too_many_groups; deadline. */
MUST_CHECK bool embedded_groups_pairs_make(struct arena *a,
                                           const struct groups_question *question,
                                           const struct embedded_version *version,
                                           const struct bitmap *rows, bool with_rows,
                                           uint64_t deadline_us, struct groups_pairs *out,
                                           struct err *err);
MUST_CHECK bool embedded_groups_check_deadline(uint64_t deadline_us, struct err *err);
