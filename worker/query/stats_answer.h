/* The aggregates of one set of values as typed results, for whoever writes or compares them.
 * The definitions are those of stats.h.  Inside datasets/. */
#pragma once

#include "embedded/stats_values.h"
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

struct stats_answer {
    const struct stats_request *request;
    struct stats_values values;
    uint64_t distinct;
    int64_t int_min, int_max;
    double real_min, real_max;
    int64_t median_floor; /* dates and datetimes */
    __int128 int_sum;
    struct stats_moments moments;
    long double quartiles[3];
    long double percentiles[STATS_PERCENTILES_MAX];
};

/* Computes what the aggregates `asked` (bits that the column's type has) are read from; but for
 * `distinct`, which the caller fills where it is asked for.  Uses the values up. */
void stats_answer_fill(struct arena *a, struct stats_answer *answer, uint32_t asked);
/* One aggregate that was asked for, not the percentiles.  Of the values it reads how many there
 * are and of which column, not the values themselves. */
struct stats_result stats_answer_result(const struct stats_answer *answer,
                                        enum stats_aggregate aggregate);
struct stats_result stats_result_real(double v); /* none where it is not finite */
/* The plain text of one: days and moments without quotes, none as nothing. */
void stats_result_add_text(struct buf *out, struct stats_result result);
void stats_result_write(struct json *j, struct stats_result result);
