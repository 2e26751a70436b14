/* See query_order.h.  What is sorted is one word per row that holds the first sort key so that
 * plain unsigned comparison orders it; the columns themselves are looked at only where two
 * words are equal.  A page keeps a heap of the best rows seen; an export sorts them all. */
#include "datasets/query_order.h"

#include <stdlib.h>
#include <string.h>

/* A heap that holds a larger share of the rows than this costs more than sorting them all. */
#define HEAP_SHARE 8

#define ROW_IS_NULL ((uint64_t)1 << 63)

struct item {
    uint64_t word; /* of the first key; complemented when descending; 0 when null */
    uint64_t row;  /* ROW_IS_NULL set when the first key is null: such rows come last */
};

struct order
order_of(const struct query *query, const struct version *version)
{
    struct order order = {.query = query};
    for (size_t i = 0; i < query->sort_count; i++)
        order.columns[i] = &version->columns.columns[query->sort[i].column];
    return order;
}

static uint64_t
word_of_int(int64_t v)
{
    return (uint64_t)v ^ (uint64_t)1 << 63;
}

/* IEEE doubles order like sign and magnitude; +0.0 makes the two zeros one. */
static uint64_t
word_of_real(double v)
{
    uint64_t bits;
    v += 0.0;
    memcpy(&bits, &v, sizeof(bits));
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

static uint64_t
word_of(const struct column *c, uint64_t row)
{
    if (column_type_is_textual(c->type))
        return c->text.prefixes[row];
    return c->type == COLUMN_REAL ? word_of_real(c->reals[row]) : word_of_int(c->ints[row]);
}

static inline struct item
item_of(const struct order *order, uint64_t row)
{
    const struct column *c = order->columns[0];
    if (c->nulls && column_is_null(c, row))
        return (struct item){0, row | ROW_IS_NULL};
    uint64_t word = word_of(c, row);
    return (struct item){order->query->sort[0].is_descending ? ~word : word, row};
}

static int
compare_key(const struct order *order, size_t key, uint64_t a, uint64_t b)
{
    const struct column *c = order->columns[key];
    bool a_is_null = column_is_null(c, a), b_is_null = column_is_null(c, b);
    if (a_is_null || b_is_null)
        return (int)a_is_null - (int)b_is_null;
    int way = column_compare(c, a, b);
    return order->query->sort[key].is_descending ? -way : way;
}

/* Never 0: two rows differ by their number at least. */
static int
compare_items(const void *x, const void *y, void *context)
{
    const struct item *a = x, *b = y;
    const struct order *order = context;
    bool a_is_null = a->row & ROW_IS_NULL, b_is_null = b->row & ROW_IS_NULL;
    uint64_t a_row = a->row & ~ROW_IS_NULL, b_row = b->row & ~ROW_IS_NULL;
    if (a_is_null != b_is_null)
        return (int)a_is_null - (int)b_is_null;
    if (a->word != b->word)
        return a->word < b->word ? -1 : 1;
    /* Only of text does the word not hold the whole key. */
    size_t key = column_type_is_textual(order->columns[0]->type) ? 0 : 1;
    for (; key < order->query->sort_count; key++) {
        int way = compare_key(order, key, a_row, b_row);
        if (way != 0)
            return way;
    }
    return (a_row > b_row) - (a_row < b_row);
}

/* Items go by pointer: a copy of one just filled waits for both stores (2.7 times the page). */
static bool
comes_before(const struct order *order, const struct item *a, const struct item *b)
{
    return compare_items(a, b, (void *)(uintptr_t)order) < 0;
}

/* heap[0] is the last of them in order: the first to go when a better one turns up. */
static void
sink(const struct order *order, struct item *heap, size_t count, struct item item)
{
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && comes_before(order, &heap[child], &heap[child + 1]))
            child++;
        if (!comes_before(order, &item, &heap[child]))
            break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

static void
rise(const struct order *order, struct item *heap, size_t at, struct item item)
{
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (!comes_before(order, &heap[parent], &item))
            break;
        heap[at] = heap[parent];
    }
    heap[at] = item;
}

/* The rows of a set one by one; a call per row would cost as much as the comparison. */
struct walk {
    const struct bitmap *rows;
    uint64_t word_index; /* of the word after the one in `bits` */
    uint64_t bits;       /* rows of the word before, not yet given */
};

static inline bool
walk_next(struct walk *walk, uint64_t *row)
{
    while (walk->bits == 0) {
        if (walk->word_index == bitmap_word_count(walk->rows->row_count))
            return false;
        walk->bits = walk->rows->words[walk->word_index++];
    }
    *row = (walk->word_index - 1) * 64 + (uint64_t)__builtin_ctzll(walk->bits);
    walk->bits &= walk->bits - 1;
    return true;
}

/* By the words alone: so for nearly every row, once the heap holds good ones. */
static inline bool
is_worse(const struct item *item, const struct item *worst_kept)
{
    return !(worst_kept->row & ROW_IS_NULL) &&
           (item->row & ROW_IS_NULL || item->word > worst_kept->word);
}

static size_t
collect_best(const struct order *order, const struct bitmap *rows, struct item *heap,
             size_t wanted)
{
    struct walk walk = {.rows = rows};
    uint64_t row;
    size_t count = 0;
    while (walk_next(&walk, &row)) {
        struct item item = item_of(order, row);
        if (count < wanted)
            rise(order, heap, count++, item);
        else if (!is_worse(&item, &heap[0]) && comes_before(order, &item, &heap[0]))
            sink(order, heap, count, item);
    }
    return count;
}

static size_t
collect_all(const struct order *order, const struct bitmap *rows, struct item *items)
{
    struct walk walk = {.rows = rows};
    uint64_t row;
    size_t count = 0;
    while (walk_next(&walk, &row))
        items[count++] = item_of(order, row);
    return count;
}

size_t
order_take_first(struct arena *a, const struct order *order, const struct bitmap *rows,
                 uint64_t row_count, size_t wanted, uint64_t *out)
{
    bool is_page = wanted < row_count / HEAP_SHARE;
    if (wanted == 0)
        return 0;
    struct item *items = arena_array(a, is_page ? wanted : row_count, struct item);
    size_t count =
        is_page ? collect_best(order, rows, items, wanted) : collect_all(order, rows, items);
    qsort_r(items, count, sizeof(*items), compare_items, (void *)(uintptr_t)order);
    count = MIN(count, wanted);
    for (size_t i = 0; i < count; i++)
        out[i] = items[i].row & ~ROW_IS_NULL;
    return count;
}
