/* roas_anomaly: campaigns whose ROAS on D-1 is below a given share of its recent mean.  The
 * comparison is exact (see mean.h); only displayed numbers are rounded. */
#include "reports/days.h"
#include "reports/mean.h"
#include "reports/report.h"

/* With fewer days that have a cost, the mean says nothing about what is usual. */
#define DAYS_NEEDED 3

static const char *const COLUMNS[] = {"campaign", "roas_d1", "avg7", "days",
                                      "anomaly",  "reason",  NULL};

/* Has the campaign nothing on D-1 and no cost before?  Then no ROAS can be given for it. */
static bool
is_listed(const struct days_campaign *campaign)
{
    bool has_cost = false;
    for (size_t day = 0; day < DAYS_COUNT; day++)
        has_cost = has_cost || campaign->has_cost[day];
    return has_cost || campaign->has_revenue[DAYS_LAST];
}

static void
add_verdict(struct report_output *out, const struct days_campaign *campaign,
            const struct mean *mean, unsigned percent)
{
    const char *reason = !days_has_roas(campaign, DAYS_LAST) ? "no_cost"
                         : mean->count < DAYS_NEEDED         ? "not_enough_history"
                                                             : NULL;
    if (reason) {
        output_null(out, "anomaly");
        output_str(out, "reason", str_from(reason));
        return;
    }
    output_bool(out, "anomaly",
                mean_compare(mean, campaign->revenue[DAYS_LAST], campaign->cost[DAYS_LAST],
                             percent) < 0);
    output_null(out, "reason");
}

static bool
write(struct report_output *out, const struct report_run *run, struct err *err UNUSED)
{
    const struct config *config = run->data->config;
    scoped_arena a = {0};
    struct days_campaign *campaigns;
    size_t count;
    days_collect(&a, run->data, true, &campaigns, &count);
    struct json *json = output_members(out);
    json_member_begin_array(json, "campaigns");
    for (size_t i = 0; i < count; i++) {
        struct mean mean;
        if (!is_listed(&campaigns[i]))
            continue;
        mean_init(&mean);
        for (size_t day = 0; day < (config->reports_include_day ? DAYS_COUNT : DAYS_BEFORE);
             day++)
            if (days_has_roas(&campaigns[i], day))
                mean_add(&mean, campaigns[i].revenue[day], campaigns[i].cost[day]);
        output_begin_item(out);
        output_str(out, "campaign", campaigns[i].name);
        output_ratio(out, "roas_d1", campaigns[i].revenue[DAYS_LAST],
                     campaigns[i].cost[DAYS_LAST]);
        scoped_buf text;
        buf_init(&text, 64);
        if (mean.count > 0) {
            mean_print(&mean, &text);
            output_number(out, "avg7", buf_str(&text));
        } else {
            output_null(out, "avg7");
        }
        output_i64(out, "days", mean.count);
        add_verdict(out, &campaigns[i], &mean, (unsigned)config->reports_anomaly_percent);
        output_end_item(out);
    }
    json_end_array(json);
    return true;
}

static void
define(struct json *json, const struct report_run *run)
{
    const struct config *config = run->data->config;
    json_member_str(json, "avg7",
                    STR("mean of the daily ROAS of the days counted in days, exact until it is "
                        "shown (half-even to 10 decimals)"));
    json_member_str(json, "days",
                    config->reports_include_day
                        ? STR("days with a cost above 0 among date and the 7 days before it")
                        : STR("days with a cost above 0 among the 7 days before date"));
    json_member_str(json, "anomaly",
                    STR("roas_d1 is below anomaly_percent of avg7; null without a cost on date "
                        "(no_cost) or with fewer than days_needed days (not_enough_history)"));
    json_member_u64(json, "anomaly_percent", config->reports_anomaly_percent);
    json_member_u64(json, "days_needed", DAYS_NEEDED);
    json_member_bool(json, "include_day", config->reports_include_day);
}

const struct report REPORT_ROAS_ANOMALY = {
    .name = "roas_anomaly",
    .title = "ROAS anomalies",
    .inputs = 1u << INPUT_PURCHASES | 1u << INPUT_COSTS,
    .rows_member = "campaigns",
    .columns = COLUMNS,
    .write = write,
    .define = define,
};
