/* Pairs curated purchases with confirmations.
 *
 * Rows pair when they have the same user and lie within a window: first those with equal
 * receipts, then the rest by match_timestamps, where the place in the table is used as the
 * line (line numbers can repeat in a version that was made by appending).  Dropped rows are
 * not paired. */
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
    uint32_t *mates;      /* by row: the mate's row in the other table, or PAIRING_NO_ROW */
    uint32_t *by_receipt; /* by receipt: the row that represents it, or PAIRING_NO_ROW */
};

struct pairing {
    struct pairing_list sides[SIDES];
    struct match_timestamp *timestamps[SIDES]; /* of one user */
    struct arena scratch;                      /* of the matching */
};

void pairing_init(struct arena *a, const struct report_data *data, struct pairing *out);
void pairing_free(struct pairing *p); /* accepts a zeroed struct */
/* Sets the mates. */
void pairing_match(struct pairing *p, int64_t window_ms);
/* How many pairs another window would give; does not change the mates. */
size_t pairing_count(struct pairing *p, int64_t window_ms);
/* The row of the other side that has the receipt of `row`: the kept one, else the earliest of
 * the dropped ones; PAIRING_NO_ROW when there is none. */
uint32_t pairing_receipt_row(const struct pairing *p, enum pairing_side side,
                             const struct purchase *row);
