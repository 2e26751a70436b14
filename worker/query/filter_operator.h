/* The table of filter operators.  Another operator is a row here, and a function where none of
 * those that are there reads its value. */
#pragma once

#include "query/filter_tree.h"

enum filter_takes { FILTER_TAKES_ONE, FILTER_TAKES_MANY, FILTER_TAKES_FLAG };

struct filter_argument {
    struct str param; /* as in the request, for messages */
    const struct filter_operator *op;
    const struct schema_column *column;
    struct str value; /* one value */
};

struct filter_operator {
    struct str word;
    unsigned types; /* bit per enum column_type that has it */
    /* Sets the predicate's kind and appends a test to its array, which has room. */
    bool (*add)(struct arena *a, struct predicate *predicate,
                const struct filter_argument *argument, struct err *err);
    enum filter_takes takes;
    bool is_negated;
    enum match match;       /* of a part of a text */
    enum match_order order; /* of a bound */
};

/* NULL when there is none. */
const struct filter_operator *filter_operator_find(struct str word);
/* Of the bare form column=value. */
const struct filter_operator *filter_operator_bare(enum column_type type);
bool filter_operator_has(const struct filter_operator *op, enum column_type type);
/* Among the words that the type has. */
struct suggestion filter_operator_suggest(struct str word, enum column_type type);
/* "exact not gt ..." */
void filter_operator_add_words(struct buf *out, enum column_type type);
