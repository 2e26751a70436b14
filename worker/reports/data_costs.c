/* The costs: one row per day and campaign, summed over repeated rows of the file. */
#include "reports/data_read.h"

#include "base/mem.h"
#include "reports/cells.h"
#include "reports/money.h"

#include <stdlib.h>

enum { DATE, CAMPAIGN, COST }; /* by the order of INPUTS */

/* How much of a cell is shown, so that a person can find it. */
#define SHOWN_BYTES_MAX 40

static bool
take_cost(void *context, const struct input_row *row, struct err *err)
{
    struct report_data *data = context;
    struct data_store *store = data->store;
    struct notes *notes = &store->notes[INPUT_COSTS];
    struct cost_row cost;
    struct str date = str_slice(row->cells[DATE], 0, SHOWN_BYTES_MAX);
    struct str amount = str_slice(row->cells[COST], 0, SHOWN_BYTES_MAX);
    if (!date_parse_iso(str_trim(row->cells[DATE]), &cost.day)) {
        notes_add(notes, row->line, "date is YYYY-MM-DD, got '%" STR_FMT "'", STR_ARG(date));
        return true;
    }
    if (!money_parse(row->cells[COST], &cost.cost)) {
        notes_add(notes, row->line, "ad_cost_usd is an amount like 150.25, got '%" STR_FMT "'",
                  STR_ARG(amount));
        return true;
    }
    notes_add_amount(notes, cost.cost);
    cost.campaign = cells_intern_campaign(data->names, row->cells[CAMPAIGN]);
    data->costs = mem_grow(data->costs, &store->cost_cap, data->cost_count + 1, sizeof(cost));
    data->costs[data->cost_count++] = cost;
    return data_tell_progress(data, data->cost_count, err);
}

static void
take_bad(void *context, uint64_t line, const char *reason)
{
    struct report_data *data = context;
    notes_add(&data->store->notes[INPUT_COSTS], line, "%s", reason);
}

static int
compare_costs(const void *x, const void *y)
{
    const struct cost_row *a = x, *b = y;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return (a->campaign > b->campaign) - (a->campaign < b->campaign);
}

static void
sum_costs(struct report_data *data)
{
    struct cost_row *costs = data->costs;
    size_t count = 0;
    if (data->cost_count == 0)
        return;
    qsort(costs, data->cost_count, sizeof(*costs), compare_costs);
    for (size_t i = 1; i < data->cost_count; i++)
        if (compare_costs(&costs[count], &costs[i]) == 0)
            costs[count].cost = money_plus(costs[count].cost, costs[i].cost);
        else
            costs[++count] = costs[i];
    data->cost_count = count + 1;
}

bool
data_read_costs(struct report_data *data, struct err *err)
{
    if (!input_read(&data->store->arenas[INPUT_COSTS], data->config, INPUT_COSTS,
                    &data->inputs[INPUT_COSTS], take_cost, take_bad, data, err))
        return false;
    sum_costs(data);
    return true;
}
