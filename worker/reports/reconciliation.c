/* Which curated purchases the shop confirms, and which it does not.  pairing.h finds the
 * pairs; here they are listed and counted by day and by window, and for each row without a
 * mate the reason is given.
 *
 * Rows of the confirmed side whose time or amount cannot be read, and repeated receipts, are
 * not paired; `confirmed` counts them, so that its numbers add up to all rows. */
#include "reports/money.h"
#include "reports/pairing.h"
#include "reports/report.h"

#include <stdlib.h>

/*    detail                  its type */
#define DETAIL_TYPES(X)                                                                        \
    X(DETAIL_MATCHED, "matched")                                                               \
    X(DETAIL_AF_ONLY, "af_only")                                                               \
    X(DETAIL_CONFIRMED_ONLY, "confirmed_only")
enum detail_type {
#define X(type, name) type,
    DETAIL_TYPES(X)
#undef X
        DETAIL_TYPE_COUNT
};

static const char *const TYPE_NAMES[] = {
#define X(type, name) name,
    DETAIL_TYPES(X)
#undef X
};

static const int64_t BY_WINDOW_MINUTES[] = {1, 2, 5, 10, 30};

static const char *const DROPPED_REASONS[] = {
#define X(reason, word) [reason] = "dropped:" word,
    DROP_REASONS(X)
#undef X
};

/* The amounts of a pair differ when the difference is more than a cent. */
#define AMOUNT_TOLERANCE (MONEY_UNIT / 100)

struct detail {
    int64_t time_ms;
    uint32_t type, row; /* a row of the confirmed table for DETAIL_CONFIRMED_ONLY */
};

struct sum {
    uint64_t count;
    int64_t revenue;
};

struct day_sums {
    int64_t day;
    struct sum sums[DETAIL_TYPE_COUNT];
};

struct reconciliation {
    struct arena arena; /* owns everything here */
    const struct report_data *data;
    struct pairing pairing;
    struct detail *details;
    size_t detail_count;
    struct sum sums[DETAIL_TYPE_COUNT];
    struct day_sums *days;
    size_t day_count;
};

static void
reconciliation_free(struct reconciliation *r)
{
    pairing_free(&r->pairing);
    arena_free(&r->arena);
}

/* ---- details and sums ---- */

static int
compare_details(const void *a, const void *b)
{
    const struct detail *x = a, *y = b;
    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static void
make_details(struct reconciliation *r)
{
    const struct pairing_list *af = &r->pairing.sides[AF], *cf = &r->pairing.sides[CF];
    r->details = arena_array(&r->arena, af->count + cf->count, struct detail);
    for (size_t i = 0; i < af->count; i++) {
        const struct pairing_entry *e = &af->entries[i];
        uint32_t type = af->mates[e->row] == PAIRING_NO_ROW ? DETAIL_AF_ONLY : DETAIL_MATCHED;
        r->details[r->detail_count++] = (struct detail){e->time_ms, type, e->row};
    }
    for (size_t i = 0; i < cf->count; i++) {
        const struct pairing_entry *e = &cf->entries[i];
        if (cf->mates[e->row] == PAIRING_NO_ROW)
            r->details[r->detail_count++] =
                (struct detail){e->time_ms, DETAIL_CONFIRMED_ONLY, e->row};
    }
    qsort(r->details, r->detail_count, sizeof(*r->details), compare_details);
}

static const struct purchase *
row_of(const struct reconciliation *r, const struct detail *d)
{
    return &r->pairing.sides[d->type == DETAIL_CONFIRMED_ONLY ? CF : AF].table->rows[d->row];
}

static int
compare_days(const void *a, const void *b)
{
    int64_t x = ((const struct day_sums *)a)->day, y = ((const struct day_sums *)b)->day;
    return (x > y) - (x < y);
}

static void
add_to_sum(struct sum *sum, int64_t revenue)
{
    sum->count++;
    sum->revenue = money_plus(sum->revenue, revenue);
}

/* A pair counts for the day of its purchase. */
static void
sum_up(struct reconciliation *r)
{
    /* Details are sorted by type and time, so each type has its days in order, each day once.
     */
    struct day_sums *days = arena_array(&r->arena, r->detail_count, struct day_sums);
    size_t count = 0;
    for (size_t i = 0; i < r->detail_count; i++) {
        const struct detail *d = &r->details[i];
        int64_t day = data_day_of(d->time_ms), revenue = row_of(r, d)->revenue;
        if (count == 0 || days[count - 1].day != day || r->details[i - 1].type != d->type)
            days[count++] = (struct day_sums){.day = day};
        add_to_sum(&days[count - 1].sums[d->type], revenue);
        add_to_sum(&r->sums[d->type], revenue);
    }
    qsort(days, count, sizeof(*days), compare_days);
    for (size_t i = 0; i < count; i++) {
        if (r->day_count == 0 || days[r->day_count - 1].day != days[i].day) {
            days[r->day_count++] = days[i];
            continue;
        }
        for (size_t type = 0; type < DETAIL_TYPE_COUNT; type++)
            if (days[i].sums[type].count > 0)
                days[r->day_count - 1].sums[type] = days[i].sums[type];
    }
    r->days = days;
}

/* ---- the document ---- */

static void
add_sums(struct report_output *out, const struct sum sums[DETAIL_TYPE_COUNT])
{
    struct json *json = output_members(out);
    for (size_t type = 0; type < DETAIL_TYPE_COUNT; type++) {
        json_key(json, TYPE_NAMES[type]);
        json_begin_object(json);
        json_member_u64(json, "count", sums[type].count);
        output_money(out, "revenue_usd", sums[type].revenue);
        json_end_object(json);
    }
}

static void
add_rates(struct report_output *out, uint64_t pairs, uint64_t af_count, uint64_t cf_count)
{
    output_ratio(out, "match_rate_af", (int64_t)pairs, (int64_t)af_count);
    output_ratio(out, "match_rate_confirmed", (int64_t)pairs, (int64_t)cf_count);
}

static void
add_days(struct report_output *out, const struct reconciliation *r)
{
    struct json *json = output_members(out);
    json_member_begin_array(json, "by_day");
    for (size_t i = 0; i < r->day_count; i++) {
        const struct sum *sums = r->days[i].sums;
        uint64_t pairs = sums[DETAIL_MATCHED].count;
        json_begin_object(json);
        output_day(out, "date", r->days[i].day);
        add_sums(out, sums);
        add_rates(out, pairs, pairs + sums[DETAIL_AF_ONLY].count,
                  pairs + sums[DETAIL_CONFIRMED_ONLY].count);
        json_end_object(json);
    }
    json_end_array(json);
}

static void
add_windows(struct report_output *out, struct reconciliation *r)
{
    struct json *json = output_members(out);
    json_member_begin_array(json, "by_window");
    for (size_t i = 0; i < COUNT_OF(BY_WINDOW_MINUTES); i++) {
        size_t pairs = pairing_count(&r->pairing, BY_WINDOW_MINUTES[i] * 60000);
        json_begin_object(json);
        json_member_i64(json, "window_min", BY_WINDOW_MINUTES[i]);
        json_member_u64(json, "matched", pairs);
        add_rates(out, pairs, r->pairing.sides[AF].count, r->pairing.sides[CF].count);
        json_end_object(json);
    }
    json_end_array(json);
}

/* Counts what became of the rows of the confirmed side. */
static void
add_confirmed_rows(struct json *json, const struct purchase_table *confirmed)
{
    uint64_t counts[DROP_COUNT] = {0};
    for (size_t i = 0; i < confirmed->count; i++)
        counts[confirmed->rows[i].dropped]++;
    json_member_begin_object(json, "confirmed");
    json_member_u64(json, "rows_in", confirmed->count);
    json_member_u64(json, "compared", counts[DROP_NONE]);
    json_member_begin_object(json, "dropped");
    for (size_t reason = 1; reason < DROP_COUNT; reason++)
        if (counts[reason] > 0)
            json_member_u64(json, data_drop_reason_name((enum drop_reason)reason),
                            counts[reason]);
    json_end_object(json);
    json_end_object(json);
}

/* Why a row has no mate: what became of the other side's row with its receipt. */
static struct str
reason_without_mate(const struct reconciliation *r, enum pairing_side which,
                    const struct purchase *row)
{
    uint32_t at = pairing_receipt_row(&r->pairing, which, row);
    if (at == PAIRING_NO_ROW)
        return which == AF ? STR("not_confirmed") : STR("not_in_raw");
    const struct purchase *other = &r->pairing.sides[!which].table->rows[at];
    if (other->dropped != DROP_NONE)
        return str_from(DROPPED_REASONS[other->dropped]);
    return other->user == row->user ? STR("outside_window") : STR("other_user");
}

static void
add_seconds(struct buf *out, int64_t ms)
{
    money_add(out, ms * (MONEY_UNIT / 1000));
}

static bool
is_amount_mismatch(int64_t a, int64_t b)
{
    __int128 difference = (__int128)a - b;
    return difference > AMOUNT_TOLERANCE || difference < -AMOUNT_TOLERANCE;
}

static void
write_pair(struct report_output *out, const struct reconciliation *r, const struct purchase *af)
{
    const struct purchase *cf =
        &r->pairing.sides[CF]
             .table->rows[r->pairing.sides[AF].mates[af - r->pairing.sides[AF].table->rows]];
    scoped_buf gap = {.max = 64};
    add_seconds(&gap, llabs(af->time_ms - cf->time_ms));
    output_timestamp(out, "af_event_time_utc", af->time_ms);
    output_timestamp(out, "cf_event_time_utc", cf->time_ms);
    output_number(out, "gap_s", buf_str(&gap));
    output_money(out, "revenue_usd", af->revenue);
    output_i64(out, "af_line", af->line);
    output_i64(out, "cf_line", cf->line);
    output_bool(out, "amount_mismatch", is_amount_mismatch(af->revenue, cf->revenue));
    output_bool(out, "receipt_mismatch",
                af->receipt && cf->receipt && af->receipt != cf->receipt);
    output_null(out, "reason");
}

static void
write_single(struct report_output *out, const struct reconciliation *r, enum pairing_side which,
             const struct purchase *row)
{
    static const char *const TIMES[SIDES] = {"af_event_time_utc", "cf_event_time_utc"};
    static const char *const LINES[SIDES] = {"af_line", "cf_line"};
    for (enum pairing_side i = AF; i < SIDES; i++) {
        if (i == which)
            output_timestamp(out, TIMES[i], row->time_ms);
        else
            output_null(out, TIMES[i]);
    }
    output_null(out, "gap_s");
    output_money(out, "revenue_usd", row->revenue);
    for (enum pairing_side i = AF; i < SIDES; i++) {
        if (i == which)
            output_i64(out, LINES[i], row->line);
        else
            output_null(out, LINES[i]);
    }
    output_null(out, "amount_mismatch");
    output_null(out, "receipt_mismatch");
    output_str(out, "reason", reason_without_mate(r, which, row));
}

static void
write_details(struct report_output *out, struct json *json, const struct reconciliation *r)
{
    json_member_begin_array(json, "details");
    for (size_t i = 0; i < r->detail_count; i++) {
        const struct detail *d = &r->details[i];
        const struct purchase *row = row_of(r, d);
        output_begin_item(out);
        output_str(out, "type", str_from(TYPE_NAMES[d->type]));
        output_str(out, "appsflyer_id", name_text(r->data->names, row->user));
        if (d->type == DETAIL_MATCHED)
            write_pair(out, r, row);
        else
            write_single(out, r, d->type == DETAIL_AF_ONLY ? AF : CF, row);
        output_end_item(out);
    }
    json_end_array(json);
}

static bool
write_reconciliation(struct report_output *out, const struct report_run *run,
                     struct err *err UNUSED)
{
    SCOPED(reconciliation_free) struct reconciliation r = {.data = run->data};
    pairing_init(&r.arena, run->data, &r.pairing);
    pairing_match(&r.pairing, run->data->config->reports_window);
    make_details(&r);
    sum_up(&r);

    struct json *json = output_members(out);
    json_member_begin_object(json, "summary");
    add_sums(out, r.sums);
    json_end_object(json);
    add_rates(out, r.sums[DETAIL_MATCHED].count, r.pairing.sides[AF].count,
              r.pairing.sides[CF].count);
    add_confirmed_rows(json, &run->data->confirmed);
    add_days(out, &r);
    add_windows(out, &r);
    write_details(out, json, &r);
    return true;
}

static void
define_reconciliation(struct json *json, const struct report_run *run)
{
    scoped_buf window = {.max = 64};
    add_seconds(&window, run->data->config->reports_window);
    json_member_raw(json, "window_s", buf_str(&window));
    json_member_raw(json, "amount_tolerance_usd", STR("0.01"));
    json_member_str(
        json, "matched",
        STR("curated purchase and confirmation of one appsflyer_id within window_s, "
            "one to one: equal receipts first, of the rest as many pairs as "
            "possible, then the least total gap"));
    json_member_str(
        json, "reason",
        STR("of a row without a mate: not_confirmed, not_in_raw, or of the row with "
            "its receipt: dropped:<reason>, outside_window, other_user"));
    json_member_str(json, "by_day",
                    STR("UTC day of the purchase; of the confirmation where "
                        "there is no purchase"));
    json_member_str(json, "confirmed",
                    STR("rows of confirmed_purchases: those that take part, and why others do "
                        "not"));
    json_member_str(json, "revenue_usd",
                    STR("of the purchase, refunds taken off; of the confirmation where there "
                        "is no purchase"));
}

static const char *const COLUMNS[] = {"type",
                                      "appsflyer_id",
                                      "af_event_time_utc",
                                      "cf_event_time_utc",
                                      "gap_s",
                                      "revenue_usd",
                                      "af_line",
                                      "cf_line",
                                      "amount_mismatch",
                                      "receipt_mismatch",
                                      "reason",
                                      NULL};

const struct report REPORT_RECONCILIATION = {
    .name = "reconciliation",
    .title = "Purchases and their confirmations",
    .inputs = 1u << INPUT_PURCHASES | 1u << INPUT_CONFIRMED,
    .rows_member = "details",
    .columns = COLUMNS,
    .write = write_reconciliation,
    .define = define_reconciliation,
};
