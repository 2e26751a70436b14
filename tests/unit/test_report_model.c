/* The reasons of the purchases against a model that follows the contract row by row, over small
 * domains where everything meets everything. */
#include "dice.h"
#include "report_fixture.h"

struct time_word {
    const char *text;
    bool is_time;
    int64_t second; /* of the day */
};
static const struct time_word TIMES[] = {
    {"2025-10-20T09:00:00Z", true, 32400},
    {"2025-10-20 09:00:00", true, 32400},
    {"2025-10-20T12:00:00+03:00", true, 32400},
    {"2025-10-20T09:01:00Z", true, 32460},
    {"2025-10-20t08:59:59z", true, 32399},
    {" 2025-10-20 10:00:00 ", true, 36000},
    {"2025-10-20", false, 0},
    {"2025-10-20T09:00:00", true, 32400},
    {"2025/10/20 09:00", true, 32400},
    {"2025-10-20 07:30:00-0130", true, 32400},
    {"2025-10-20 09:00:00 UTC", true, 32400},
    {"2025-10-20 09:00:00UTC", false, 0},
    {"2025-10-20 24:00:00", false, 0},
    {"2025-13-20T09:00:00Z", false, 0},
    {"", false, 0},
};
struct amount_word {
    const char *text;
    bool is_amount;
    int64_t millionths;
};
static const struct amount_word AMOUNTS[] = {
    {"4.99", true, 4990000}, {"\"4,99\"", true, 4990000}, {"-4.99", true, -4990000},
    {"2", true, 2000000},    {"-2.99", true, -2990000},   {"9.98", true, 9980000},
    {"0.0", true, 0},        {"\"1,234\"", false, 0},     {"x", false, 0},
    {"1.2.3", false, 0},
};
struct word {
    const char *text;
    bool is_yes, is_reversal;
    int same; /* what is the same has the same number */
};
static const struct word EVENTS[] = {
    {"purchase", true, false, 1},  {"PURCHASE", true, false, 1},
    {"purchase", true, false, 1},  {"af_purchase", true, false, 2},
    {"level_up", false, false, 3}, {"", false, false, 4},
};
static const struct word STATUSES[] = {
    {"success", true, false, 0},  {"Success", true, false, 0}, {" success ", true, false, 0},
    {"success", true, false, 0},  {"refund", false, true, 0},  {"Chargeback", false, true, 0},
    {"pending", false, false, 0}, {"", false, false, 0},
};
static const char *const RECEIPTS[] = {"",      "RCP-1", "RCP-2",  "RCP-3",
                                       "rcp-1", "BAD",   " RCP-1 "};
static const char *const USERS[] = {"a", "b"};

struct model_row {
    const struct time_word *time;
    const struct amount_word *amount;
    const struct word *event, *status;
    const char *receipt, *user;
    enum drop_reason reason;
    int64_t refunded;
};

#define PICK(array) (&(array)[dice_below(COUNT_OF(array))])

static struct model_row
random_row(void)
{
    return (struct model_row){.time = PICK(TIMES),
                              .amount = PICK(AMOUNTS),
                              .event = PICK(EVENTS),
                              .status = PICK(STATUSES),
                              .receipt = *PICK(RECEIPTS),
                              .user = *PICK(USERS)};
}

static bool
is_same_receipt(const struct model_row *a, const struct model_row *b)
{
    struct str x = str_trim(str_from(a->receipt)), y = str_trim(str_from(b->receipt));
    return x.n > 0 && str_eq(x, y);
}

static enum drop_reason
model_reason(const struct model_row *row)
{
    struct str receipt = str_trim(str_from(row->receipt));
    return !row->time->is_time                              ? DROP_BAD_TIME
           : !row->amount->is_amount                        ? DROP_BAD_REVENUE
           : row->status->is_reversal                       ? DROP_REVERSAL
           : !row->event->is_yes                            ? DROP_NOT_PURCHASE
           : !row->status->is_yes                           ? DROP_NOT_SUCCESS
           : receipt.n && !str_starts(receipt, STR("RCP-")) ? DROP_INVALID_RECEIPT
           : row->amount->millionths <= 0                   ? DROP_NON_POSITIVE_REVENUE
                                                            : DROP_NONE;
}

static void
model_reversal(struct model_row *rows, size_t count, struct model_row *row)
{
    int64_t taken = 0;
    for (size_t i = 0; i < count; i++)
        if (rows[i].reason == DROP_REVERSAL && is_same_receipt(&rows[i], row))
            taken += llabs(rows[i].amount->millionths);
    if (taken > 0 && taken >= row->amount->millionths)
        row->reason = DROP_REVERSED;
    else
        row->refunded = taken;
}

static bool
is_repeat(const struct model_row *kept, const struct model_row *row)
{
    if (str_trim(str_from(row->receipt)).n)
        return is_same_receipt(kept, row);
    return str_trim(str_from(kept->receipt)).n == 0 && strcmp(kept->user, row->user) == 0 &&
           kept->time->second == row->time->second && kept->event->same == row->event->same &&
           kept->amount->millionths == row->amount->millionths;
}

/* By time, then line; each row looks at the kept ones before it. */
static void
model_duplicates(struct model_row *rows, size_t count)
{
    struct model_row *kept[64];
    size_t kept_count = 0;
    for (int64_t second = 0; second < 86400; second++)
        for (size_t i = 0; i < count; i++) {
            struct model_row *row = &rows[i];
            if (row->reason != DROP_NONE || row->time->second != second)
                continue;
            bool is_new = true;
            for (size_t k = 0; k < kept_count; k++)
                is_new = is_new && !is_repeat(kept[k], row);
            if (is_new)
                kept[kept_count++] = row;
            else
                row->reason = DROP_DUPLICATE;
        }
}

static void
model_classify(struct model_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        rows[i].reason = model_reason(&rows[i]);
    for (size_t i = 0; i < count; i++)
        if (rows[i].reason == DROP_NONE)
            model_reversal(rows, count, &rows[i]);
    model_duplicates(rows, count);
}

static void
compare_row(const struct fixture *f, size_t i, const struct model_row *row)
{
    const struct purchase *p = &f->data.purchases.rows[i];
    struct str cells[INPUT_COLUMNS_MAX];
    int64_t revenue = row->amount->is_amount ? row->amount->millionths : 0;
    if (p->dropped != row->reason)
        fail_msg("line %u is %s, the model says %s", p->line, data_drop_reason_name(p->dropped),
                 data_drop_reason_name(row->reason));
    int64_t refunded = row->reason == DROP_NONE ? row->refunded : 0;
    assert_int_equal(p->refunded, refunded);
    assert_int_equal(p->revenue, revenue - refunded);
    assert_int_equal(p->line, i + 2);
    if (row->reason == DROP_NONE)
        return;
    data_raw(&f->data, i, cells);
    assert_true(str_eq(cells[2], str_from(row->time->text)));
    assert_true(str_eq(cells[5], str_from(row->receipt)));
    assert_true(str_eq(cells[6], str_from(row->status->text)));
}

static void
every_row_has_the_reason_that_the_model_gives(void **state)
{
    dice_begin(__func__);
    struct model_row rows[64];
    scoped_fixture f;
    begin(&f, *state, "");
    f.config.reports_receipt_pattern = STR("^RCP-[0-9]+$");
    scoped_buf csv;
    buf_init(&csv, MIB);
    for (size_t round = 0; round < dice_rounds(300); round++) {
        size_t count = 1 + dice_below(COUNT_OF(rows));
        buf_clear(&csv);
        buf_add_lit(&csv, PURCHASES_HEADER);
        for (size_t i = 0; i < count; i++) {
            rows[i] = random_row();
            buf_printf(&csv, "%s,%s,%s,%s,c,%s,%s\n", rows[i].user, rows[i].event->text,
                       rows[i].time->text, rows[i].amount->text, rows[i].receipt,
                       rows[i].status->text);
        }
        write_text(f.dir, "purchases_raw.csv", buf_str(&csv));
        must_read(&f, DAY);
        model_classify(rows, count);
        assert_int_equal(f.data.purchases.count, count);
        for (size_t i = 0; i < count; i++)
            compare_row(&f, i, &rows[i]);
        for (size_t i = 0; i < count; i++) {
            dice_reach("refunded in part", rows[i].refunded);
            for (size_t reason = DROP_NONE; reason < DROP_COUNT; reason++)
                dice_reach(reason ? data_drop_reason_name(reason) : "kept",
                           rows[i].reason == reason);
        }
    }
    dice_end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_set_up, temp_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_row_has_the_reason_that_the_model_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
