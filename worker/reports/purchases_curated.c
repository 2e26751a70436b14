/* purchases_curated: every row of purchases_raw, either kept or dropped with its first reason.
 * Kept rows are ordered by time, then line; dropped ones by line, with their raw cells. */
#include "base/mem.h"
#include "reports/money.h"
#include "reports/report.h"

#include <stdlib.h>

struct sum {
    uint64_t rows;
    int64_t revenue;
};

static void
write_sum(struct report_output *out, const char *key, const struct sum *sum)
{
    struct json *j = output_members(out);
    json_member_begin_object(j, key);
    json_member_u64(j, "rows", sum->rows);
    output_money(out, "revenue_usd", sum->revenue);
    json_end_object(j);
}

/* Every reason is listed, also with a count of 0, so that readers see which there are. */
static void
write_summary(struct report_output *out, const struct purchase_table *table)
{
    struct json *j = output_members(out);
    struct sum sums[DROP_COUNT] = {0};
    for (size_t i = 0; i < table->count; i++) {
        struct sum *sum = &sums[table->rows[i].dropped];
        sum->rows++;
        sum->revenue = money_plus(sum->revenue, table->rows[i].revenue);
    }
    json_member_begin_object(j, "summary");
    json_member_u64(j, "rows_in", table->count);
    write_sum(out, "kept", &sums[DROP_NONE]);
    json_member_begin_object(j, "dropped");
    for (size_t reason = DROP_NONE + 1; reason < DROP_COUNT; reason++)
        write_sum(out, data_drop_reason_name((enum drop_reason)reason), &sums[reason]);
    json_end_object(j);
    json_end_object(j);
}

static int
compare_time(const void *x, const void *y)
{
    const struct purchase *a = *(const struct purchase *const *)x;
    const struct purchase *b = *(const struct purchase *const *)y;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return (a > b) - (a < b); /* by place in the table, which is the order of lines */
}

static void
write_kept(struct report_output *out, const struct report_data *data)
{
    struct json *j = output_members(out);
    const struct purchase_table *table = &data->purchases;
    const struct purchase **kept = mem_array(table->count, const struct purchase *);
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].dropped == DROP_NONE)
            kept[count++] = &table->rows[i];
    qsort(kept, count, sizeof(*kept), compare_time);
    json_member_begin_array(j, "purchases");
    for (size_t i = 0; i < count; i++) {
        const struct purchase *p = kept[i];
        output_begin_item(out);
        output_i64(out, "line", p->line);
        output_str(out, "appsflyer_id", name_text(data->names, p->user));
        output_str(out, "event_name", name_text(data->names, p->event));
        output_timestamp(out, "event_time_utc", p->time_ms);
        output_money(out, "revenue_usd", p->revenue);
        output_money(out, "refunded_usd", p->refunded);
        output_str(out, "campaign", name_text(data->names, p->campaign));
        output_str(out, "receipt_id", name_text(data->names, p->receipt));
        output_end_item(out);
    }
    json_end_array(j);
    free(kept);
}

static void
write_dropped(struct report_output *out, const struct report_data *data)
{
    struct json *j = output_members(out);
    struct str names[INPUT_COLUMNS_MAX], cells[INPUT_COLUMNS_MAX];
    size_t count = input_columns(INPUT_PURCHASES, names);
    json_member_begin_array(j, "dropped");
    for (size_t i = 0; i < data->purchases.count; i++) {
        const struct purchase *p = &data->purchases.rows[i];
        if (p->dropped == DROP_NONE)
            continue;
        data_raw(data, i, cells);
        output_begin_json_item(out);
        output_i64(out, "line", p->line);
        output_str(out, "reason", str_from(data_drop_reason_name(p->dropped)));
        for (size_t k = 0; k < count; k++) {
            json_key_str(j, names[k]);
            json_str(j, cells[k]);
        }
        output_end_json_item(out);
    }
    json_end_array(j);
}

static bool
write_report(struct report_output *out, const struct report_run *run, struct err *err UNUSED)
{
    write_summary(out, &run->data->purchases);
    write_kept(out, run->data);
    write_dropped(out, run->data);
    return true;
}

static void
define_words(struct json *j, const char *key, const struct config_list *list)
{
    json_member_begin_array(j, key);
    for (size_t i = 0; i < list->count; i++)
        json_str(j, list->items[i]);
    json_end_array(j);
}

static void
define_report(struct json *j, const struct report_run *run)
{
    const struct config *config = run->data->config;
    json_member_str(j, "revenue_usd",
                    STR("kept: what is left after refunded_usd; dropped: as the row says"));
    json_member_str(j, "refunded_usd",
                    STR("taken back by reversals of the same receipt that do not reach the "
                        "revenue"));
    json_member_str(j, "campaign", STR("trimmed, in upper case; (NONE) when empty"));
    json_member_str(j, "line", STR("physical line of the file; the header is line 1"));
    json_member_str(j, "order", STR("purchases by time, then line; dropped by line"));
    define_words(j, "purchase_events", &config->reports_purchase_events);
    define_words(j, "success_statuses", &config->reports_success_statuses);
    define_words(j, "reversal_statuses", &config->reports_reversal_statuses);
    json_member_str_or_null(j, "receipt_pattern", config->reports_receipt_pattern);
}

static const char *const COLUMNS[] = {"line",           "appsflyer_id", "event_name",
                                      "event_time_utc", "revenue_usd",  "refunded_usd",
                                      "campaign",       "receipt_id",   NULL};

const struct report REPORT_PURCHASES_CURATED = {
    .name = "purchases_curated",
    .title = "Purchases that count, and why the others do not",
    .inputs = 1u << INPUT_PURCHASES,
    .rows_member = "purchases",
    .columns = COLUMNS,
    .write = write_report,
    .define = define_report,
};
