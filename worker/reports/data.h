/* What the reports work on: the inputs, read once, checked cell by cell, in compact tables.  A
 * million purchases take about 200 MB with all their text, so names are interned: equal texts
 * have equal numbers, and only numbers are compared. */
#pragma once

#include "base/date.h"
#include "reports/input.h"
#include "reports/names.h"

/* In the order in which they are tested: the first that applies is the row's reason. */
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
const char *data_drop_reason_name(enum drop_reason reason);

struct purchase {     /* of purchases_raw or confirmed_purchases */
    int64_t time_ms;  /* UTC; 0 with DROP_BAD_TIME */
    int64_t revenue;  /* millionths; 0 when it cannot be read.  Of a kept row: what is left
                       * after reversals smaller than the purchase were subtracted */
    int64_t refunded; /* millionths; the sum that was subtracted */
    uint32_t line;    /* in its file.  Not unique in a version made by append from several
                       * files: where a total order is needed, the place in the table
                       * decides, which within one file is the order of lines */
    uint32_t user, event, campaign, receipt; /* user and receipt trimmed; the event unchanged;
                                              * campaign trimmed, in upper case, "(NONE)" when
                                              * empty */
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

struct day_users {  /* users with a session on D-1 */
    uint64_t count; /* distinct, trimmed; rows without a user are not counted */
};

struct report_warning {
    struct str code;   /* stale_inputs, bad_rows, payers_exceed_dau, ... */
    struct str detail; /* a sentence */
};

struct report_data {
    /* Given by the caller of data_read. */
    const struct config *config;
    struct arena *arena;
    struct input_source inputs[INPUT_COUNT];
    bool (*on_progress)(void *context, uint64_t rows_done, struct err *err); /* may be NULL */
    void *context;
    int64_t now_ms; /* rows of later days (UTC) do not set the newest day; 0: all rows may */

    struct name_table *names;
    struct err input_errors[INPUT_COUNT]; /* why an input is unusable; ERR_NONE: it is usable */
    struct report_warning *input_warnings[INPUT_COUNT];
    size_t input_warning_counts[INPUT_COUNT];
    struct report_warning *warnings; /* of all reports */
    size_t warning_count;
    int64_t day;        /* D-1 */
    int64_t newest_day; /* of purchases and sessions; REPORT_DAY_NEWEST: neither has a row */
    struct purchase_table purchases; /* classified: every row has its reason */
    struct purchase_table confirmed; /* DROP_BAD_TIME, DROP_BAD_REVENUE, DROP_DUPLICATE (by
                                      * receipt) or kept */
    struct cost_row *costs;          /* summed per day and campaign, sorted by both numbers */
    size_t cost_count;
    struct day_users sessions;
    struct data_store *store; /* owns the memory of the tables */
};
#define REPORT_DAY_NEWEST INT64_MIN
/* Reads the inputs that exist and classifies the purchases.  With `day` REPORT_DAY_NEWEST, D-1
 * is the day before the newest one of purchases and sessions.  An unusable input is not a
 * failure: it is in input_errors, and the reports that need it say so.  Fails when on_progress
 * does, or with code no_day when the newest day is asked for and no input has one. */
MUST_CHECK bool data_read(struct report_data *data, int64_t day, struct err *err);
void data_free(struct report_data *data); /* accepts a zeroed struct */
/* The raw cells of row `index` of purchases_raw, which was dropped, in the order of INPUTS;
 * valid until data_free. */
void data_raw(const struct report_data *data, size_t index,
              struct str cells[INPUT_COLUMNS_MAX]);
int64_t data_day_of(int64_t ms); /* the UTC day of a timestamp */
/* Is the timestamp's day today or earlier, by now_ms?  One device whose clock is years ahead
 * must not set the newest day, which would then stay there. */
bool data_has_begun(const struct report_data *data, int64_t ms);
