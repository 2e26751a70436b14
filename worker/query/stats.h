/* Statistics of one column under a filter: the definitions of NumPy and SciPy, exact to 1e-9
 * relative.
 *
 *   integer, real, boolean   every aggregate; booleans are the numbers 0 and 1, so that their
 *                            mean is the share of true
 *   date, datetime           count nulls distinct min max range median: min, max and median are
 *                            moments of the type, range is in days, and a median between two
 *                            days (milliseconds) is rounded down to the earlier
 *   text, list               count nulls distinct, of the raw text
 *
 * `count` is of values that are not null, `nulls` of those that are.  Zero is written without
 * sign.  An integer column's min, max, range and sum are integers; a sum beyond int64 is real.
 * A result is null where the definition gives no value: nothing selected (all but count, nulls
 * and distinct), ddof=1 of fewer than two values, zero variance for skewness and kurtosis,
 * where one not above (1e-15 * mean)^2 counts as zero, bias=0 of fewer than three (skewness) or
 * four (kurtosis) values; and where it is beyond the range of double. */
#pragma once

#include "catalogue/schema.h"

/*   name              word */
#define STATS_AGGREGATES(X)                                                                    \
    X(STATS_COUNT, "count")                                                                    \
    X(STATS_NULLS, "nulls")                                                                    \
    X(STATS_DISTINCT, "distinct")                                                              \
    X(STATS_MIN, "min")                                                                        \
    X(STATS_MAX, "max")                                                                        \
    X(STATS_RANGE, "range")                                                                    \
    X(STATS_SUM, "sum")                                                                        \
    X(STATS_MEAN, "mean")                                                                      \
    X(STATS_MEDIAN, "median")                                                                  \
    X(STATS_VARIANCE, "variance")                                                              \
    X(STATS_STD_DEV, "std_dev")                                                                \
    X(STATS_IQR, "iqr")                                                                        \
    X(STATS_PERCENTILES, "percentiles")                                                        \
    X(STATS_SKEWNESS, "skewness")                                                              \
    X(STATS_KURTOSIS, "kurtosis")
enum stats_aggregate {
#define X(aggregate, word) aggregate,
    STATS_AGGREGATES(X)
#undef X
        STATS_AGGREGATE_COUNT,
};

#define STATS_PERCENTILES_MAX 32

struct stats_request {
    uint32_t aggregates;                                /* bit per enum stats_aggregate */
    double percentiles[STATS_PERCENTILES_MAX];          /* 0 to 100 */
    struct str percentile_names[STATS_PERCENTILES_MAX]; /* "25th" */
    size_t percentile_count;
    unsigned ddof;    /* 0 or 1 */
    bool is_unbiased; /* bias=0 */
};

uint32_t stats_aggregates_of(enum column_type type); /* bits, as in the request */
struct str stats_aggregate_name(enum stats_aggregate aggregate);
bool stats_aggregate_find(struct str word, enum stats_aggregate *out);
/* Says that there is no such aggregate, which is near, and which there are: `also` (" all", or
 * "") and those of the table. */
bool stats_refuse_aggregate(const char *param, const char *also, struct str word,
                            struct err *err);
/* "count, nulls, distinct": what a type has, for a message. */
void stats_add_aggregates_of(struct buf *out, enum column_type type);

/* aggregate=mean,median or all ("" is all); percentiles=1,50,99 ("" is 25,50,75), named by
 * their English ordinals: "1st", "50th", "99.9th"; one said twice counts once.  Unknown words
 * are bad_parameter with the nearest one. */
MUST_CHECK bool stats_parse(struct arena *a, struct str aggregate, struct str percentiles,
                            unsigned ddof, bool is_unbiased, struct stats_request *out,
                            struct err *err);
/* Refuses an aggregate that was asked for by name and that the column's type does not have. */
MUST_CHECK bool stats_check(const struct stats_request *request,
                            const struct schema_column *column, bool is_all, struct err *err);
