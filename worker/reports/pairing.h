/* Curated purchases and confirmations, side by side: which row is the mate of which.
 *
 * Rows pair when they have the same user and lie within a window: equal receipts first, the
 * rest as match_timestamps has it, where the place in the table stands for the line (lines can
 * repeat in a version that was made by appending).  Rows that were dropped take no part. */
#pragma once

#include "reports/data.h"
#include "reports/match.h"

#define PAIRING_NO_ROW UINT32_MAX

enum pairing_side { AF, CF, SIDES }; /* purchases_raw, confirmed_purchases */

struct pairing_entry { /* a kept row */
    int64_t time_ms;
    uint32_t user, row;
};

struct pairing_list {
    const struct purchase_table *table;
    struct pairing_entry *entries; /* kept rows, by user, time, row */
    size_t count;
    uint32_t *mates;      /* of rows: row of the other table, PAIRING_NO_ROW */
    uint32_t *by_receipt; /* of receipts: the row that speaks for it, PAIRING_NO_ROW */
};

struct pairing {
    struct pairing_list sides[SIDES];
    struct match_timestamp *moments[SIDES]; /* of one user */
    struct arena scratch;                   /* of the matching */
};

void pairing_init(struct arena *a, const struct report_data *data, struct pairing *out);
void pairing_free(struct pairing *p); /* accepts a zeroed struct */
/* Fills in the mates. */
void pairing_match(struct pairing *p, int64_t window_ms);
/* How many pairs another window would give; leaves the mates alone. */
size_t pairing_count(struct pairing *p, int64_t window_ms);
/* The row of the other side with the receipt of `row`, dropped ones among them: the kept one,
 * else the earliest; PAIRING_NO_ROW. */
uint32_t pairing_receipt_row(const struct pairing *p, enum pairing_side side,
                             const struct purchase *row);
