/* The aggregates of one set of values as typed results, for whoever writes or compares them.
 * The definitions are those of stats.h. */
#pragma once

#include "query/stats.h"
#include "query/stats_moments.h"
#include "json/write.h"

enum stats_result_kind {
    STATS_NONE, /* no value, written as null */
    STATS_INT,
    STATS_UINT, /* counts, and ranges of integers, which reach 2^64 - 1 */
    STATS_REAL, /* finite; zero has no sign */
    STATS_DAY,
    STATS_MOMENT,
};

struct stats_result {
    enum stats_result_kind kind;
    union {
        int64_t i; /* int, day, moment */
        uint64_t u;
        double d;
    };
};

/* What the aggregates of one column are read from; what no aggregate that was asked for is read
 * from is not filled. */
struct stats_answer {
    const struct stats_request *request;
    enum column_type type;
    uint64_t count, nulls; /* of values that are not null, and that are */
    uint64_t distinct;
    int64_t int_min, int_max; /* all types but real */
    double real_min, real_max;
    int64_t median_floor; /* dates and datetimes */
    __int128 int_sum;
    struct stats_moments moments;
    long double quartiles[3];
    long double percentiles[STATS_PERCENTILES_MAX];
};

/* One aggregate that was asked for, not the percentiles. */
struct stats_result stats_answer_result(const struct stats_answer *answer,
                                        enum stats_aggregate aggregate);
struct stats_result stats_result_real(double v); /* none where it is not finite */
/* The plain text of one: days and moments without quotes, none as nothing. */
void stats_result_add_text(struct buf *out, struct stats_result result);
void stats_result_write(struct json *j, struct stats_result result);
/* Appends the JSON object of one column: only the aggregates asked for that the type has, in
 * the table's order; null where the definition gives no value. */
MUST_CHECK bool stats_add_json(struct buf *out, const struct stats_answer *answer,
                               struct err *err);
