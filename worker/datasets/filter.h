/* Filters of SPEC 3.2: `column__op=value` parameters to a checked tree to a bitmap.  All text
 * comparison is on folded bytes; a null matches isnull and nothing else. */
#pragma once

#include "datasets/version.h"

struct param { /* one decoded query parameter, in the order given */
    struct str name, value;
};

struct filter;
/* `params` are those that no route declared.  Errors: unknown_parameter / bad_parameter naming
 * the parameter, the rule, the value seen and the nearest column or operator. */
MUST_CHECK bool
filter_parse(struct arena *a, const struct schema *schema, const struct param *params,
             size_t param_count,
             struct str q, /* all words, anywhere in the text columns; "" none */
             struct filter **out, struct err *err);
/* The matching rows.  Fails with busy and code deadline past `deadline_us` (steady clock; 0:
 * none). */
MUST_CHECK bool filter_run(struct arena *a, const struct filter *filter,
                           const struct version *version, uint64_t deadline_us,
                           struct bitmap *out, struct err *err);
/* Stable across processes: binds a cursor to its filter. */
uint64_t filter_hash(const struct filter *filter);
bool filter_is_empty(const struct filter *filter); /* matches every row */
