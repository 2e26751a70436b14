/* roas_d1: the revenue of each campaign on D-1 per dollar of its cost. */
#include "reports/days.h"
#include "reports/money.h"
#include "reports/report.h"

static const char *const COLUMNS[] = {"campaign", "revenue_usd", "ad_cost_usd",
                                      "roas",     "no_cost",     NULL};

static void
add_figures(struct report_output *out, int64_t revenue, int64_t cost)
{
    output_money(out, "revenue_usd", revenue);
    output_money(out, "ad_cost_usd", cost);
    output_ratio(out, "roas", revenue, cost);
    output_bool(out, "no_cost", cost <= 0);
}

static bool
write(struct report_output *out, const struct report_run *run, struct err *err UNUSED)
{
    scoped_arena a = {0};
    struct days_campaign *campaigns;
    size_t count;
    int64_t revenue = 0, cost = 0;
    days_collect(&a, run->data, true, &campaigns, &count);
    struct json *json = output_members(out);
    json_member_begin_array(json, "campaigns");
    for (size_t i = 0; i < count; i++) {
        const struct days_campaign *campaign = &campaigns[i];
        if (!campaign->has_revenue[DAYS_LAST] && !campaign->has_cost[DAYS_LAST])
            continue;
        output_begin_item(out);
        output_str(out, "campaign", campaign->name);
        add_figures(out, campaign->revenue[DAYS_LAST], campaign->cost[DAYS_LAST]);
        output_end_item(out);
        revenue = money_plus(revenue, campaign->revenue[DAYS_LAST]);
        cost = money_plus(cost, campaign->cost[DAYS_LAST]);
    }
    json_end_array(json);
    json_member_begin_object(json, "total");
    add_figures(out, revenue, cost);
    json_end_object(json);
    return true;
}

static void
define(struct json *json, const struct report_run *run UNUSED)
{
    json_member_str(json, "revenue_usd",
                    STR("curated purchases of the campaign with a time on date (UTC), less "
                        "their refunds"));
    json_member_str(json, "ad_cost_usd", STR("rows of costs_daily of date, summed"));
    json_member_str(json, "roas",
                    STR("revenue_usd / ad_cost_usd, half-even to 10 decimals; null without a "
                        "cost above 0"));
    json_member_str(json, "total", STR("all campaigns, those without a cost among them"));
}

const struct report REPORT_ROAS_D1 = {
    .name = "roas_d1",
    .title = "Return on ad spend, D-1",
    .inputs = 1u << INPUT_PURCHASES | 1u << INPUT_COSTS,
    .rows_member = "campaigns",
    .columns = COLUMNS,
    .write = write,
    .define = define,
};
