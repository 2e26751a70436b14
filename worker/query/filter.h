/* Filters: `column__op=value` parameters (analysts.md, "Find rows") to a checked tree.  All
 * text comparison is on folded bytes; a null matches isnull and nothing else. */
#pragma once

#include "catalogue/schema.h"

struct param { /* one decoded query parameter, in the order given */
    struct str name, value;
};

struct filter;
/* What the manual does not say:
 *   - a column's own name wins over an alias (a column min_age, and the alias of age);
 *   - a day on a datetime column means all of it: gt begins behind its end, lte ends with it;
 *   - an integer column takes any number as a bound (gt 3.5), but is never equal to one that is
 *     not whole: that is refused;
 *   - gt gte lt lte on text compare folded bytes; boolean and list columns have no order;
 *   - a value of in is a JSON array when it reads as one; around the parts of a comma list
 *     blanks may be meant or not, and both are looked for;
 *   - q cuts words at blanks, each to be found in some text column (a list is not one).
 * Bounds: 100 parameters, 1,000 values of an in, 4 KiB per value, 16 words.
 *
 * `params` are those that the route does not declare; the names of those it does, separated by
 * blanks, are `declared`: a wrong one may be a slip of one of them.  Errors: unknown_parameter
 * / bad_parameter naming the parameter, the rule, the value seen and the nearest column or
 * operator. */
MUST_CHECK bool
filter_parse(struct arena *a, const struct schema *schema, const struct param *params,
             size_t param_count, struct str declared,
             struct str q, /* all words, anywhere in the text columns; "" none */
             struct filter **out, struct err *err);
/* Stable across processes: binds a cursor to its filter. */
uint64_t filter_hash(const struct filter *filter);
