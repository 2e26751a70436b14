/* The checked filter, between the parser that makes it and the runner that answers it: an AND
 * of predicates.  A predicate is a union of tests over one column, negated or not; whatever the
 * operator was, it came down to one of the kinds below, which are what engines know.
 * For the parser and for them. */
#pragma once

#include "base/match.h"
#include "query/filter.h"

#define FILTER_PARAMS_MAX 100   /* parameters of one request */
#define FILTER_VALUES_MAX 1000  /* values of one in or notin */
#define FILTER_VALUE_BYTES 4096 /* of one value */
#define FILTER_WORDS_MAX 16     /* words of q; each costs a scan of every text column */

#define FILTER_ANY_TEXT SIZE_MAX /* as column: a match in any text column will do */

enum predicate_kind {
    PREDICATE_NULL,       /* is null; no tests */
    PREDICATE_INTS,       /* lo <= value <= hi */
    PREDICATE_REALS,      /* lo < or <= value < or <= hi */
    PREDICATE_TEXT,       /* the folded text (of a list its raw text) matches */
    PREDICATE_TEXT_ORDER, /* the folded text comes before or after */
    PREDICATE_LIST,       /* an element matches */
};

struct filter_test {
    union {
        struct {
            int64_t lo, hi; /* lo > hi: matches nothing */
        } ints;
        struct {
            double lo, hi;
            bool lo_open, hi_open;
        } reals;
        struct str needle; /* folded */
    };
};

struct predicate {
    size_t column; /* of the schema, or FILTER_ANY_TEXT */
    enum predicate_kind kind;
    enum match match;       /* TEXT and LIST */
    enum match_order order; /* TEXT_ORDER */
    bool is_negated;        /* rows that are not null and pass no test */
    /* INTS are ordered by lo and do not overlap; TEXT and LIST with MATCH_EQUALS are ordered by
     * needle: so many values can be looked up by halving. */
    struct filter_test *tests;
    size_t test_count;
    uint64_t hash;
};

struct filter {
    struct predicate *predicates;
    size_t predicate_count;
    uint64_t hash;
};
