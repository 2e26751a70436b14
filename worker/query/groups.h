/* Groups of the rows under a filter, and what is known of each.
 *
 *     by        = key ["," key]
 *     key       = column [":" part]
 *     part      = "year" / "month" / "day"      of a date or datetime
 *               / width                         of an integer or real: a decimal above 0
 *     aggregate = item *("," item)
 *     item      = "count" / word "(" column ")"  the words of stats.h but for percentiles
 *     having    = test *("," test)              all of them hold
 *     test      = item ["__" operator] "=" value
 *     operator  = exact not gt gte lt lte isnull notnull
 *     sort      = ["-"] (key / item) *("," ...)
 *
 * What the grammar does not say:
 *   - text and list elements are told apart by their original bytes, as pandas does: "RPG" and
 *     "rpg" are two groups (but are ordered by folded bytes);
 *   - nulls are the group null, and so are rows whose list has no element: the counts of a
 *     column that is no list add up to the rows under the filter;
 *   - a bin is named by its lower edge, the greatest multiple of the width not above the value
 *     (so -1 lies in -10 of width 10); where one of them is real, edge and value are compared
 *     as the doubles nearest to the decimals, so 0.3 lies in 0.3 of width 0.1; a value 2^53
 * widths or more from zero is its own bin.  A bin that would begin below int64 begins at its
 * end;
 *   - a year is a number, a month is YYYY-MM, a day YYYY-MM-DD; a datetime without a part is
 *     its exact moment;
 *   - `count` is of rows, count(column) of values that are not null;
 *   - having and sort take any item, shown or not.  A null passes isnull and no other test.  In
 *     having a day is the whole day for a datetime, as in filters;
 *   - groups come in the order of sort, then of their keys, nulls last whatever the direction;
 *     without sort by their keys alone. Texts that differ in case alone come in the order of
 *     their first rows. */
#pragma once

#include "query/query.h"
#include "query/stats_answer.h"

#define GROUPS_KEYS_MAX 2
#define GROUPS_ITEMS_MAX 32 /* aggregates of one question, shown and not */
#define GROUPS_TESTS_MAX 16
#define GROUPS_ORDERS_MAX 8
/* Groups of one question: what can still be put in order within a tenth of a second. */
#define GROUPS_MAX 100000
#define GROUPS_VALUES_MAX 1000000 /* the same where values are only counted (facets) */
/* A row in a group takes 8 bytes while aggregates are made: 160 MB at most. */
#define GROUPS_PAIRS_MAX 20000000

enum groups_part {
    GROUPS_WHOLE,
    GROUPS_YEAR,
    GROUPS_MONTH,
    GROUPS_DAY,
    GROUPS_INTEGER_BIN,
    GROUPS_REAL_BIN,
};

struct groups_key {
    size_t column;
    enum column_type type; /* of the column */
    enum groups_part part;
    struct str label;      /* as it was asked: "price:10" */
    int64_t integer_width; /* GROUPS_INTEGER_BIN */
    int64_t digits;        /* GROUPS_REAL_BIN: the width is digits / 10^scale */
    unsigned scale;
};

#define GROUPS_ROWS SIZE_MAX /* as an item's column: rows are counted */
struct groups_item {
    enum stats_aggregate aggregate;
    size_t column;
    struct str label; /* "mean(price)" */
};

enum groups_operator {
    GROUPS_EXACT,
    GROUPS_NOT,
    GROUPS_GT,
    GROUPS_GTE,
    GROUPS_LT,
    GROUPS_LTE,
    GROUPS_IS_NULL, /* isnull=true, notnull=false */
    GROUPS_NOT_NULL,
};

struct groups_test {
    size_t item;
    enum groups_operator op;
    struct stats_result lo, hi; /* the same but for a day of a datetime */
};

struct groups_order {
    bool is_key;
    size_t index; /* of the key or item */
    bool is_descending;
};

struct groups_question {
    struct groups_key keys[GROUPS_KEYS_MAX];
    size_t key_count;
    struct groups_item items[GROUPS_ITEMS_MAX]; /* the shown ones first */
    size_t item_count, shown_count;
    struct groups_test tests[GROUPS_TESTS_MAX];
    size_t test_count;
    struct groups_order orders[GROUPS_ORDERS_MAX];
    size_t order_count;
    struct stats_request stats; /* ddof and bias */
    uint32_t group_count_max;
    uint64_t hash; /* of all of it: binds a cursor */
};

/* The question as it came; "" where a parameter is absent, but for `by`. */
struct groups_text {
    const char *by_name; /* of the parameter, for messages */
    struct str by, aggregate, having, sort;
    unsigned ddof; /* 0 or 1 */
    bool is_unbiased;
};
/* Errors: bad_parameter, with the parameter's name and the nearest word. */
MUST_CHECK bool groups_parse(struct arena *a, const struct schema *schema,
                             const struct groups_text *text, struct groups_question *out,
                             struct err *err);

struct groups_result {
    const struct groups_question *question;
    uint64_t row_count; /* under the filter */
    uint64_t total;     /* groups that pass having */
    size_t group_count; /* of the page */
    bool has_more;
    const void *found; /* the engine's, of which it reads the groups one by one */
};

struct groups_group {
    /* Null, text, an element of a list, or what the key's part makes of the column's values: a
     * year, months since year 0, a day, the lower edge of a bin.  Which, groups_word.h says. */
    struct value keys[GROUPS_KEYS_MAX];
    uint64_t row_count;
    struct stats_result values[GROUPS_ITEMS_MAX]; /* of the items shown */
};

void groups_write_key(struct json *j, const struct groups_key *key, const struct value *value);
/* {"genres": "Action", "count": 12, "mean(price)": 3.5} */
void groups_add_json_row(struct buf *out, const struct groups_question *question,
                         const struct groups_group *group);
/* The labels, then a line per group; nulls are empty cells, text is escaped (csv_add_text). */
void groups_add_csv_header(struct buf *out, const struct groups_question *question);
void groups_add_csv_row(struct buf *out, const struct groups_question *question,
                        const struct groups_group *group, bool is_raw);
