/* Everything about a receipt is in an array indexed by the receipt's number, so two passes
 * over the table in file order suffice; rows without a receipt are sorted among themselves.
 *
 * A reversal applies to the receipt as a whole: the sum of all its reversals is subtracted from
 * each purchase with that receipt, before duplicates are looked for. */
#include "reports/classify.h"

#include "base/mem.h"
#include "reports/money.h"

#include <stdlib.h>
#include <string.h>

#define NO_ROW UINT32_MAX

bool
classify_rules_init(struct arena *a, const struct config *config, struct classify_rules *out,
                    struct err *err)
{
    *out = (struct classify_rules){
        .purchase_events = words_from_config(a, &config->reports_purchase_events),
        .success_statuses = words_from_config(a, &config->reports_success_statuses),
        .reversal_statuses = words_from_config(a, &config->reports_reversal_statuses),
    };
    if (config->reports_receipt_pattern.n == 0)
        return true;
    const char *pattern = arena_cstr(a, config->reports_receipt_pattern);
    int rc = regcomp(&out->pattern, pattern, REG_EXTENDED | REG_NOSUB);
    out->has_pattern = rc == 0;
    if (rc == 0)
        return true;
    char why[128];
    regerror(rc, &out->pattern, why, sizeof(why));
    return err_set_name(err, ERR_INVALID, "bad_pattern", STR("reports.receipt_pattern"),
                        "reports.receipt_pattern is an extended regular expression, got '%s': "
                        "%s",
                        pattern, why);
}

void
classify_rules_free(struct classify_rules *rules)
{
    if (rules->has_pattern)
        regfree(&rules->pattern);
    rules->has_pattern = false;
}

enum drop_reason
classify_row(const struct classify_rules *rules, struct str event, struct str status,
             struct str receipt, int64_t revenue)
{
    if (words_find(&rules->reversal_statuses, status) != WORD_NONE)
        return DROP_REVERSAL;
    if (words_find(&rules->purchase_events, event) == WORD_NONE)
        return DROP_NOT_PURCHASE;
    if (words_find(&rules->success_statuses, status) == WORD_NONE)
        return DROP_NOT_SUCCESS;
    /* Neither copied nor NUL-terminated: REG_STARTEND gives exactly these bytes. */
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t)receipt.n};
    if (rules->has_pattern && receipt.n &&
        regexec(&rules->pattern, receipt.p, 1, &range, REG_STARTEND) != 0)
        return DROP_INVALID_RECEIPT;
    return revenue <= 0 ? DROP_NON_POSITIVE_REVENUE : DROP_NONE;
}

/* ---- reversals ---- */

/* Reversed amounts may be written with or without a minus sign. */
static void
set_reversals(struct purchase_table *table, size_t name_total)
{
    int64_t *taken_back = mem_array(name_total, int64_t);
    for (size_t i = 0; i < table->count; i++) {
        const struct purchase *p = &table->rows[i];
        if (p->dropped == DROP_REVERSAL && p->receipt)
            taken_back[p->receipt] =
                money_plus(taken_back[p->receipt], money_magnitude(p->revenue));
    }
    for (size_t i = 0; i < table->count; i++) {
        struct purchase *p = &table->rows[i];
        int64_t taken = p->receipt ? taken_back[p->receipt] : 0;
        if (p->dropped != DROP_NONE || taken == 0)
            continue;
        if (taken >= p->revenue)
            p->dropped = DROP_REVERSED;
        else
            p->refunded = taken;
    }
    free(taken_back);
}

/* ---- duplicates ---- */

/* Keeps the earliest row of each receipt: of two, the later is dropped. */
static void
drop_repeated_receipts(struct purchase_table *table, size_t name_total)
{
    uint32_t *kept = mem_array(name_total, uint32_t);
    memset(kept, 0xff, MAX(name_total, 1) * sizeof(*kept));
    for (size_t i = 0; i < table->count; i++) {
        struct purchase *p = &table->rows[i];
        if (p->dropped != DROP_NONE || p->receipt == 0)
            continue;
        uint32_t *earliest = &kept[p->receipt];
        if (*earliest == NO_ROW) {
            *earliest = (uint32_t)i;
        } else if (p->time_ms < table->rows[*earliest].time_ms) {
            table->rows[*earliest].dropped = DROP_DUPLICATE;
            *earliest = (uint32_t)i;
        } else {
            p->dropped = DROP_DUPLICATE;
        }
    }
    free(kept);
}

struct bare { /* a row without a receipt */
    int64_t time_ms, revenue;
    uint32_t user, event; /* event: index of its word, so that case is ignored */
    uint32_t row;
};

#define COMPARE(a, b)                                                                          \
    if ((a) != (b))                                                                            \
    return (a) < (b) ? -1 : 1

static int
compare_what_is_bought(const struct bare *a, const struct bare *b)
{
    COMPARE(a->time_ms, b->time_ms);
    COMPARE(a->user, b->user);
    COMPARE(a->event, b->event);
    COMPARE(a->revenue, b->revenue);
    return 0;
}

static int
compare_bare(const void *x, const void *y)
{
    const struct bare *a = x, *b = y;
    int order = compare_what_is_bought(a, b);
    return order ? order : (a->row > b->row) - (a->row < b->row);
}

static void
drop_repeated_bare_rows(const struct classify_rules *rules, const struct name_table *names,
                        struct purchase_table *table)
{
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++)
        count += table->rows[i].dropped == DROP_NONE && table->rows[i].receipt == 0;
    struct bare *bare = mem_array(count, struct bare);
    count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct purchase *p = &table->rows[i];
        if (p->dropped != DROP_NONE || p->receipt != 0)
            continue;
        size_t event = words_find(&rules->purchase_events, name_text(names, p->event));
        bare[count++] =
            (struct bare){p->time_ms, p->revenue, p->user, (uint32_t)event, (uint32_t)i};
    }
    qsort(bare, count, sizeof(*bare), compare_bare);
    for (size_t i = 1; i < count; i++)
        if (compare_what_is_bought(&bare[i - 1], &bare[i]) == 0)
            table->rows[bare[i].row].dropped = DROP_DUPLICATE;
    free(bare);
}

void
classify_purchases(const struct classify_rules *rules, const struct name_table *names,
                   struct purchase_table *table)
{
    set_reversals(table, name_count(names));
    drop_repeated_receipts(table, name_count(names));
    drop_repeated_bare_rows(rules, names, table);
    /* Last: reversals and duplicates are decided by the original amounts. */
    for (size_t i = 0; i < table->count; i++) {
        struct purchase *p = &table->rows[i];
        if (p->dropped == DROP_NONE)
            p->revenue -= p->refunded;
        else
            p->refunded = 0;
    }
}

void
classify_confirmed(const struct name_table *names, struct purchase_table *table)
{
    drop_repeated_receipts(table, name_count(names));
}
