/* Revenue and cost of each campaign on D-1 and the days before it, for the ROAS reports.
 * Revenue is that of curated purchases, by the UTC day of their time. */
#pragma once

#include "reports/data.h"

#define DAYS_BEFORE 7
#define DAYS_COUNT (DAYS_BEFORE + 1)
#define DAYS_LAST DAYS_BEFORE /* index of D-1; 0 is the day seven before it */

struct days_campaign {
    struct str name;
    int64_t revenue[DAYS_COUNT], cost[DAYS_COUNT];      /* millionths; 0 when there is none */
    bool has_revenue[DAYS_COUNT], has_cost[DAYS_COUNT]; /* is there a row? */
};
/* A ROAS exists only when the cost of the day is above zero. */
bool days_has_roas(const struct days_campaign *campaign, size_t day);

/* All campaigns with a row on any of the days, by name; costs only if `with_costs`.  In the
 * arena. */
void days_collect(struct arena *a, const struct report_data *data, bool with_costs,
                  struct days_campaign **out, size_t *out_count);
