/* Decides which purchases count, by the reasons of DROP_REASONS in their order.  The reasons
 * before `reversed` depend on one row; `reversed` and `duplicate` on all rows of a receipt. */
#pragma once

#include "reports/data.h"
#include "reports/words.h"

#include <regex.h>

/* The rules, from the settings. */
struct classify_rules {
    struct word_list purchase_events, success_statuses, reversal_statuses;
    bool has_pattern;
    regex_t pattern;
};
/* invalid, naming reports.receipt_pattern, when that is not a regular expression. */
MUST_CHECK bool classify_rules_init(struct arena *a, const struct config *config,
                                    struct classify_rules *out, struct err *err);
void classify_rules_free(struct classify_rules *rules); /* accepts a zeroed struct */

/* The reason that one row of purchases_raw gives, when its time and revenue could be read. */
enum drop_reason classify_row(const struct classify_rules *rules, struct str event,
                              struct str status, struct str receipt, int64_t revenue);
/* Then, for all rows: takes reversals off the purchases of their receipt, and keeps of the
 * purchases that are left the earliest of each receipt (by time, then by place in the table).
 */
void classify_purchases(const struct classify_rules *rules, const struct name_table *names,
                        struct purchase_table *table);
/* Drops duplicates of confirmed_purchases, by receipt; other reasons do not apply there. */
void classify_confirmed(const struct name_table *names, struct purchase_table *table);
