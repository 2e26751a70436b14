/* Rows to groups, the aggregates that having and sort look at for all of them,
 * those that pass, the page of these in order, and the other aggregates for the page alone. */
#include "embedded/groups.h"

#include "embedded/groups_values.h"
#include "query/groups_word.h"

#include <stdlib.h>

/* A heap that holds a larger share of the groups than this costs more than sorting them all. */
#define HEAP_SHARE 8

static_assert(GROUPS_ITEMS_MAX <= 32, "a bit for each in a uint32_t");

/* ---- having ---- */

static long double
number_of(struct stats_result r)
{
    return r.kind == STATS_UINT   ? (long double)r.u
           : r.kind == STATS_REAL ? (long double)r.d
                                  : (long double)r.i;
}

/* Neither is none.  A long double holds every int64, so that a sum that became real compares
 * with one that did not. */
static int
compare_results(struct stats_result a, struct stats_result b)
{
    long double x = number_of(a), y = number_of(b);
    return (x > y) - (x < y);
}

static bool
passes(const struct groups_test *test, struct stats_result value)
{
    if (test->op == GROUPS_IS_NULL)
        return value.kind == STATS_NONE;
    if (value.kind == STATS_NONE)
        return false;
    int to_lo = compare_results(value, test->lo), to_hi = compare_results(value, test->hi);
    switch (test->op) {
    case GROUPS_EXACT:
        return to_lo >= 0 && to_hi <= 0;
    case GROUPS_NOT:
        return to_lo < 0 || to_hi > 0;
    case GROUPS_GT:
        return to_hi > 0;
    case GROUPS_GTE:
        return to_lo >= 0;
    case GROUPS_LT:
        return to_lo < 0;
    case GROUPS_LTE:
        return to_hi <= 0;
    case GROUPS_IS_NULL:
    case GROUPS_NOT_NULL:
        return true;
    }
    return false;
}

/* Keeps those that pass at the front; gives how many. */
static size_t
keep_passing(const struct embedded_groups *result, uint32_t *groups, size_t count)
{
    const struct groups_question *q = result->question;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t t = 0;
        while (t < q->test_count &&
               passes(&q->tests[t], result->values[q->tests[t].item][groups[i]]))
            t++;
        if (t == q->test_count)
            groups[kept++] = groups[i];
    }
    return kept;
}

/* ---- order ---- */

static int
compare_keys(const struct embedded_groups *result, size_t key, bool is_descending, uint32_t a,
             uint32_t b)
{
    const struct groups_pairs *p = result->pairs;
    const struct groups_codes *codes = &p->codes[key];
    uint32_t x = p->keys[a][key], y = p->keys[b][key];
    int way = embedded_groups_codes_compare(codes, x, y);
    return is_descending && x != codes->null_code && y != codes->null_code ? -way : way;
}

static int
compare_values(const struct embedded_groups *result, const struct groups_order *order,
               uint32_t a, uint32_t b)
{
    struct stats_result x = result->values[order->index][a];
    struct stats_result y = result->values[order->index][b];
    if (x.kind == STATS_NONE || y.kind == STATS_NONE)
        return (int)(x.kind == STATS_NONE) - (int)(y.kind == STATS_NONE);
    int way = compare_results(x, y);
    return order->is_descending ? -way : way;
}

/* Never 0: two groups differ by their keys. */
static int
compare_groups(const void *x, const void *y, void *context)
{
    const struct embedded_groups *result = context;
    const struct groups_question *q = result->question;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    for (size_t i = 0; i < q->order_count; i++) {
        const struct groups_order *order = &q->orders[i];
        int way = order->is_key ? compare_keys(result, order->index, order->is_descending, a, b)
                                : compare_values(result, order, a, b);
        if (way != 0)
            return way;
    }
    for (size_t key = 0; key < q->key_count; key++) {
        int way = compare_keys(result, key, false, a, b);
        if (way != 0)
            return way;
    }
    return 0;
}

/* groups[0] is the last of the heap in order: the first to go when a better one turns up. */
static void
sink(struct embedded_groups *result, uint32_t *heap, size_t count, size_t at)
{
    uint32_t item = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && compare_groups(&heap[child], &heap[child + 1], result) < 0)
            child++;
        if (compare_groups(&item, &heap[child], result) >= 0)
            break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

/* The first `wanted` in order, at the front. */
static void
order_first(struct embedded_groups *result, uint32_t *groups, size_t count, size_t wanted)
{
    if (wanted > 0 && wanted < count / HEAP_SHARE) {
        for (size_t at = wanted / 2; at-- > 0;)
            sink(result, groups, wanted, at);
        for (size_t i = wanted; i < count; i++)
            if (compare_groups(&groups[i], &groups[0], result) < 0) {
                groups[0] = groups[i];
                sink(result, groups, wanted, 0);
            }
        count = wanted;
    }
    qsort_r(groups, count, sizeof(*groups), compare_groups, result);
}

/* ---- all of it ---- */

static uint32_t
items_for_choosing(const struct groups_question *q)
{
    uint32_t items = 0;
    for (size_t i = 0; i < q->test_count; i++)
        items |= UINT32_C(1) << q->tests[i].item;
    for (size_t i = 0; i < q->order_count; i++)
        if (!q->orders[i].is_key)
            items |= UINT32_C(1) << q->orders[i].index;
    return items;
}

bool
embedded_groups_run(struct arena *a, const struct groups_question *question,
                    const struct embedded_version *version, const struct bitmap *rows,
                    uint64_t offset, uint64_t limit, uint64_t deadline_us,
                    struct groups_result *out, struct err *err)
{
    struct groups_pairs *pairs = arena_new(a, struct groups_pairs);
    struct embedded_groups *found = arena_new(a, struct embedded_groups);
    struct groups_result result = {.question = question, .found = found};
    *found = (struct embedded_groups){.version = version, .question = question, .pairs = pairs};
    if (!embedded_groups_pairs_make(a, question, version, rows,
                                    embedded_groups_values_need_rows(question, version),
                                    deadline_us, pairs, err))
        return false;
    uint32_t *groups = arena_array(a, pairs->count, uint32_t);
    for (uint32_t i = 0; i < pairs->count; i++)
        groups[i] = i;
    if (!embedded_groups_values_fill(a, found, items_for_choosing(question), rows, groups,
                                     pairs->count, deadline_us, err))
        return false;
    result.row_count = bitmap_count(rows);
    result.total = keep_passing(found, groups, pairs->count);
    offset = MIN(offset, result.total);
    uint64_t left = result.total - offset;
    result.group_count = (size_t)(limit == 0 ? left : MIN(left, limit));
    result.has_more = result.group_count < left;
    order_first(found, groups, (size_t)result.total, (size_t)offset + result.group_count);
    found->groups = groups + offset;
    uint32_t shown = (uint32_t)((UINT64_C(1) << question->shown_count) - 1);
    if (!embedded_groups_values_fill(a, found, shown, rows, found->groups, result.group_count,
                                     deadline_us, err))
        return false;
    *out = result;
    return true;
}

/* ---- the groups of the page ---- */

static bool
read_text(const struct embedded_version *version, const struct groups_codes *codes,
          uint32_t code, struct value *out, struct err *err)
{
    uint64_t row = codes->rows[code];
    int got = rows_get(version->rows, row + 1, &codes->key->column, 1, out, err);
    if (got == 0)
        return err_set_code(err, ERR_BUSY, "index_damaged", "row %llu is not in rows.db",
                            (unsigned long long)row + 1);
    return got == 1;
}

static bool
read_key(const struct embedded_groups *found, const struct groups_codes *codes, uint32_t code,
         struct value *out, struct err *err)
{
    *out = (struct value){.is_null = code == codes->null_code};
    if (out->is_null)
        return true;
    if (!codes->of_row)
        out->text = column_element(codes->column, code);
    else if (codes->column->type == COLUMN_TEXT)
        return read_text(found->version, codes, code, out, err);
    else if (groups_word_is_real(codes->key))
        out->d = groups_real_of_word(codes->words[code]);
    else
        out->i = (int64_t)codes->words[code];
    return true;
}

bool
embedded_groups_read(const struct groups_result *result, size_t i, struct groups_group *out,
                     struct err *err)
{
    const struct embedded_groups *found = result->found;
    const struct groups_question *q = result->question;
    const struct groups_pairs *pairs = found->pairs;
    struct arena *texts = &found->version->room->arena;
    uint32_t group = found->groups[i];
    arena_reset(texts);
    for (size_t key = 0; key < q->key_count; key++) {
        struct value *value = &out->keys[key];
        if (!read_key(found, &pairs->codes[key], pairs->keys[group][key], value, err))
            return false;
        /* Until the next key is read from rows.db. */
        if (value->text.n && key + 1 < q->key_count)
            value->text = arena_str(texts, value->text);
    }
    out->row_count = pairs->row_counts[group];
    for (size_t item = 0; item < q->shown_count; item++)
        out->values[item] = found->values[item][group];
    return true;
}
