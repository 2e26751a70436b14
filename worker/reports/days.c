#include "reports/days.h"

#include "reports/money.h"

#include <stdlib.h>

struct collection {
    const struct report_data *data;
    uint32_t *places; /* by name number: 1 + index of its campaign; 0: none yet */
    struct days_campaign *campaigns; /* NULL in the pass that counts them */
    size_t count;
};

bool
days_has_roas(const struct days_campaign *campaign, size_t day)
{
    return campaign->cost[day] > 0;
}

/* The campaign's entry; NULL in the pass that counts them. */
static struct days_campaign *
campaign_of(struct collection *c, uint32_t name)
{
    if (!c->places[name])
        c->places[name] = (uint32_t)++c->count;
    if (!c->campaigns)
        return NULL;
    struct days_campaign *campaign = &c->campaigns[c->places[name] - 1];
    campaign->name = name_text(c->data->names, name);
    return campaign;
}

/* The index of a day; DAYS_COUNT when it is not one of the days. */
static size_t
index_of(const struct report_data *data, int64_t day)
{
    int64_t before = data->day - day;
    return before >= 0 && before <= DAYS_BEFORE ? (size_t)(DAYS_LAST - before) : DAYS_COUNT;
}

static void
add_revenue(struct collection *c)
{
    const struct purchase_table *purchases = &c->data->purchases;
    for (size_t i = 0; i < purchases->count; i++) {
        const struct purchase *row = &purchases->rows[i];
        if (row->dropped != DROP_NONE)
            continue;
        size_t day = index_of(c->data, data_day_of(row->time_ms));
        if (day == DAYS_COUNT)
            continue;
        struct days_campaign *campaign = campaign_of(c, row->campaign);
        if (!campaign)
            continue;
        campaign->revenue[day] = money_plus(campaign->revenue[day], row->revenue);
        campaign->has_revenue[day] = true;
    }
}

static void
add_costs(struct collection *c)
{
    for (size_t i = 0; i < c->data->cost_count; i++) {
        const struct cost_row *row = &c->data->costs[i];
        size_t day = index_of(c->data, row->day);
        if (day == DAYS_COUNT)
            continue;
        struct days_campaign *campaign = campaign_of(c, row->campaign);
        if (!campaign)
            continue;
        campaign->cost[day] = money_plus(campaign->cost[day], row->cost);
        campaign->has_cost[day] = true;
    }
}

static void
add_rows(struct collection *c, bool with_costs)
{
    add_revenue(c);
    if (with_costs)
        add_costs(c);
}

static int
compare_names(const void *x, const void *y)
{
    const struct days_campaign *a = x, *b = y;
    return str_cmp(a->name, b->name);
}

void
days_collect(struct arena *a, const struct report_data *data, bool with_costs,
             struct days_campaign **out, size_t *out_count)
{
    struct collection c = {.data = data};
    c.places = arena_array(a, name_count(data->names), uint32_t);
    add_rows(&c, with_costs);
    /* Counted first, then allocated: a million campaigns take 150 MB, in each of the reports
     * that collect them. */
    c.campaigns = arena_array(a, c.count, struct days_campaign);
    add_rows(&c, with_costs);
    if (c.count)
        qsort(c.campaigns, c.count, sizeof(c.campaigns[0]), compare_names);
    *out = c.campaigns;
    *out_count = c.count;
}
