/* Which purchases count, by the reasons of DROP_REASONS in their order.  The first seven hang
 * on one row; `reversed` and `duplicate` on all rows of a receipt. */
#pragma once

#include "reports/data.h"
#include "reports/words.h"

#include <regex.h>

/* What the settings say. */
struct classify_rules {
    struct word_list purchase_events, success_statuses, reversal_statuses;
    bool has_pattern;
    regex_t pattern;
};
/* invalid, naming reports.receipt_pattern, when that is no expression. */
MUST_CHECK bool classify_rules_init(struct arena *a, const struct config *config,
                                    struct classify_rules *out, struct err *err);
void classify_rules_free(struct classify_rules *rules); /* accepts a zeroed struct */

/* One row of purchases_raw, whose time and revenue have been read (`dropped` says if not). */
enum drop_reason classify_row(const struct classify_rules *rules, struct str event,
                              struct str status, struct str receipt, int64_t revenue);
/* Then all of them: reversals are set against the purchases of their receipt, and of the rest
 * the earliest of each receipt is kept (by time, then place). */
void classify_purchases(const struct classify_rules *rules, const struct name_table *names,
                        struct purchase_table *table);
/* The other side has only duplicates, by receipt. */
void classify_confirmed(const struct name_table *names, struct purchase_table *table);
