/* arpdau_d1: revenue of D-1 per user who had a session that day. */
#include "reports/days.h"
#include "reports/money.h"
#include "reports/report.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const COLUMNS[] = {"campaign", "revenue_usd", "dau", "arpdau", NULL};

static int
compare_users(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return (a > b) - (a < b);
}

/* Distinct users with a curated purchase on D-1. */
static uint64_t
count_payers(struct arena *a, const struct report_data *data)
{
    const struct purchase_table *purchases = &data->purchases;
    uint32_t *users = arena_array(a, purchases->count, uint32_t);
    size_t n = 0;
    for (size_t i = 0; i < purchases->count; i++) {
        const struct purchase *row = &purchases->rows[i];
        if (row->dropped == DROP_NONE && data_day_of(row->time_ms) == data->day)
            users[n++] = row->user;
    }
    if (n)
        qsort(users, n, sizeof(users[0]), compare_users);
    uint64_t payers = 0;
    for (size_t i = 0; i < n; i++)
        payers += i == 0 || users[i] != users[i - 1];
    return payers;
}

static void
add_figures(struct report_output *out, int64_t revenue, int64_t dau)
{
    output_money(out, "revenue_usd", revenue);
    output_i64(out, "dau", dau);
    output_ratio(out, "arpdau", revenue, dau * MONEY_UNIT);
}

static bool
write(struct report_output *out, const struct report_run *run, struct err *err UNUSED)
{
    scoped_arena a = {0};
    struct days_campaign *campaigns;
    size_t count;
    int64_t revenue = 0, dau = (int64_t)run->data->sessions.count;
    days_collect(&a, run->data, false, &campaigns, &count);
    uint64_t payers = count_payers(&a, run->data);
    if (payers > (uint64_t)dau)
        output_warn(out, "payers_exceed_dau",
                    "%" PRIu64 " users paid on that day, and sessions show %" PRId64
                    ": sessions are missing, or the two name users differently",
                    payers, dau);
    for (size_t i = 0; i < count; i++)
        revenue = money_plus(revenue, campaigns[i].revenue[DAYS_LAST]);
    struct json *json = output_members(out);
    json_member_begin_object(json, "total");
    add_figures(out, revenue, dau);
    json_end_object(json);
    json_member_begin_array(json, "campaigns");
    for (size_t i = 0; i < count; i++) {
        if (!campaigns[i].has_revenue[DAYS_LAST])
            continue;
        output_begin_item(out);
        output_str(out, "campaign", campaigns[i].name);
        add_figures(out, campaigns[i].revenue[DAYS_LAST], dau);
        output_end_item(out);
    }
    json_end_array(json);
    return true;
}

static void
define(struct json *json, const struct report_run *run UNUSED)
{
    json_member_str(json, "revenue_usd",
                    STR("curated purchases with a time on date (UTC), less their refunds"));
    json_member_str(json, "dau", STR("distinct user_id with any session row on date (UTC)"));
    json_member_str(json, "arpdau",
                    STR("revenue_usd / dau, half-even to 10 decimals; null when dau is 0; of a "
                        "campaign over the whole dau, since sessions carry no campaign"));
}

const struct report REPORT_ARPDAU_D1 = {
    .name = "arpdau_d1",
    .title = "Revenue per daily active user, D-1",
    .inputs = 1u << INPUT_PURCHASES | 1u << INPUT_SESSIONS,
    .rows_member = "campaigns",
    .columns = COLUMNS,
    .write = write,
    .define = define,
};
