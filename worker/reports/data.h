/* What the reports work on: the inputs, read once, checked cell by cell, in compact tables.
 * A million purchases are some 200 MB with all their text, so names are interned: equal text
 * has equal numbers, and comparing is comparing numbers. */
#pragma once

#include "base/date.h"
#include "reports/input.h"

/* Interned text; 0 is "". */
struct name_table;
uint32_t name_intern(struct name_table *names, struct str text);
struct str name_text(const struct name_table *names, uint32_t name); /* lives with the table */
size_t name_count(const struct name_table *names);

/* In the order in which they are asked: the first that applies is the row's reason. */
#define DROP_REASONS(X)                                                                        \
    X(DROP_BAD_TIME, "bad_time")                                                               \
    X(DROP_BAD_REVENUE, "bad_revenue")                                                         \
    X(DROP_REVERSAL, "reversal")                                                               \
    X(DROP_NOT_PURCHASE, "not_purchase")                                                       \
    X(DROP_NOT_SUCCESS, "not_success")                                                         \
    X(DROP_INVALID_RECEIPT, "invalid_receipt")                                                 \
    X(DROP_NON_POSITIVE_REVENUE, "non_positive_revenue")                                       \
    X(DROP_REVERSED, "reversed")                                                               \
    X(DROP_DUPLICATE, "duplicate")
enum drop_reason {
    DROP_NONE, /* kept */
#define X(reason, word) reason,
    DROP_REASONS(X)
#undef X
        DROP_COUNT
};
const char *drop_reason_name(enum drop_reason reason);

struct purchase {     /* of purchases_raw or confirmed_purchases */
    int64_t time_ms;  /* UTC; 0 with DROP_BAD_TIME */
    int64_t revenue;  /* millionths; 0 with DROP_BAD_REVENUE.  Of a kept row: what is
                       * left of it once smaller reversals are taken off */
    int64_t refunded; /* millionths */
    uint32_t line;    /* inputs of over 2^32 lines are refused */
    uint32_t user, event, campaign, receipt; /* user and receipt as they are, trimmed; the event
                                              * as it is; campaign trimmed, upper-cased,
                                              * "(NONE)" when empty */
    uint32_t raw;                            /* number of its raw row, for data_raw */
    enum drop_reason dropped : 8;
};
struct purchase_table { /* in file order */
    struct purchase *rows;
    size_t count;
};

struct cost_row {
    int64_t day; /* days since 1970-01-01 */
    uint32_t campaign;
    int64_t cost; /* millionths */
};

struct day_users { /* of the sessions: distinct users of D-1 */
    uint64_t count;
    uint32_t *users; /* sorted names, count of them, in `names` */
};

struct report_warning {
    struct str code;   /* stale_inputs, bad_rows, payers_exceed_dau, missing_input, ... */
    struct str detail; /* a sentence */
};

struct report_data {
    const struct config *config;
    struct arena *arena;
    struct name_table *names;
    struct input_source inputs[INPUT_COUNT];
    struct err input_errors[INPUT_COUNT]; /* why an input cannot be used; ERR_NONE: it can */
    struct report_warning *input_warnings[INPUT_COUNT];
    size_t input_warning_counts[INPUT_COUNT];
    int64_t day;                     /* D-1 */
    struct purchase_table purchases; /* classified: every row has its reason */
    struct purchase_table confirmed; /* DROP_DUPLICATE by receipt; DROP_BAD_TIME, ... */
    struct cost_row *costs;          /* summed per day and campaign, sorted by both */
    size_t cost_count;
    struct day_users sessions;
};
#define REPORT_DAY_NEWEST INT64_MIN
/* Reads the inputs that are there and classifies.  `day` may be REPORT_DAY_NEWEST: the day
 * before the newest of purchases and sessions.  An input that cannot be used is not a failure:
 * it is in input_errors, and the reports that need it say so. */
MUST_CHECK bool data_read(struct report_data *data, int64_t day, struct err *err);
void data_free(struct report_data *data);
/* The raw cells of a purchase of either table, in the order of INPUTS. */
void data_raw(const struct report_data *data, enum input_kind kind, const struct purchase *row,
              struct str cells[INPUT_COLUMNS_MAX]);
