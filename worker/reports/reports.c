/* The table of the reports. */
#include "reports/report.h"

const struct report *const REPORTS[] = {
    &REPORT_PURCHASES_CURATED, &REPORT_RECONCILIATION, &REPORT_ROAS_D1,
    &REPORT_ROAS_ANOMALY,      &REPORT_ARPDAU_D1,      &REPORT_DEEPLINK,
};
const size_t REPORT_COUNT = COUNT_OF(REPORTS);

const struct report *
report_find(struct str name)
{
    for (size_t i = 0; i < REPORT_COUNT; i++)
        if (str_eq(str_from(REPORTS[i]->name), name))
            return REPORTS[i];
    return NULL;
}
