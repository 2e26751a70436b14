/* A group's values are gathered by its list of rows and handed to the
 * same functions that answer /stats, so a mean is the same number wherever it is asked for. All
 * items of one column share the gathering. */
#include "embedded/groups_values.h"

#include "embedded/stats.h"

#define BIT(aggregate) (UINT32_C(1) << (aggregate))
#define GROUPS_PER_LOOK 256 /* at the clock */

/* Counts of a column without nulls are those of the rows. */
static bool
is_row_count(const struct groups_item *item, const struct embedded_version *version)
{
    return item->column == GROUPS_ROWS ||
           (item->aggregate == STATS_COUNT &&
            !column_has_nulls(&version->columns.columns[item->column]));
}

bool
embedded_groups_values_need_rows(const struct groups_question *question,
                                 const struct embedded_version *version)
{
    for (size_t i = 0; i < question->item_count; i++)
        if (!is_row_count(&question->items[i], version))
            return true;
    return false;
}

/* One column at work. */
struct work {
    struct embedded_groups *result;
    const struct column *column;
    struct groups_key key; /* its values as they are */
    uint32_t items;        /* those of this column that are to be filled */
    uint32_t asked;        /* their aggregates */
    struct stats_answer answer;
    struct stats_values values; /* of one group, as in its answer */
    uint64_t *cells;            /* room for the values of the largest group */
    struct groups_codes codes;  /* of the column, where distinct is asked for */
    uint32_t *last_group;       /* per code: the group that had it last, + 1 */
    struct arena room;          /* for what stands above: by rows, and by column */
    struct arena scratch;       /* of one group */
};

static void
free_work(struct work *w)
{
    arena_free(&w->room);
    arena_free(&w->scratch);
}

static void
gather_group(struct work *w, const uint32_t *rows, size_t count)
{
    const struct column *c = w->column;
    struct stats_values *v = &w->values;
    *v = (struct stats_values){.column = c, .n = count};
    if (column_type_is_textual(c->type))
        return;
    v->n = column_gather(c, rows, count, w->cells);
    v->nulls = count - v->n;
    if (c->type == COLUMN_REAL)
        v->reals = (double *)w->cells;
    else
        v->ints = (int64_t *)w->cells;
    for (size_t i = 0; v->reals && i < v->n; i++)
        v->reals[i] += 0.0;
}

static uint64_t
count_distinct(struct work *w, uint32_t group, const uint32_t *rows, size_t count)
{
    uint64_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = w->codes.of_row[rows[i]];
        if (code == w->codes.null_code || w->last_group[code] == group + 1)
            continue;
        w->last_group[code] = group + 1;
        distinct++;
    }
    return distinct;
}

static void
fill_group(struct work *w, uint32_t group)
{
    const struct groups_pairs *p = w->result->pairs;
    const uint32_t *rows = p->rows + p->starts[group];
    size_t count = p->row_counts[group];
    gather_group(w, rows, count);
    if (w->asked & BIT(STATS_DISTINCT))
        w->answer.distinct = count_distinct(w, group, rows, count);
    arena_reset(&w->scratch);
    embedded_stats_fill(&w->scratch, &w->answer, &w->values, w->asked);
    for (uint32_t left = w->items; left; left &= left - 1) {
        size_t item = (size_t)__builtin_ctz(left);
        w->result->values[item][group] =
            stats_answer_result(&w->answer, w->result->question->items[item].aggregate);
    }
}

/* The items not yet filled that are of the column of the first of them. */
static uint32_t
items_of_column(const struct embedded_groups *result, uint32_t items)
{
    const struct groups_item *all = result->question->items;
    size_t column = all[__builtin_ctz(items)].column;
    uint32_t out = 0;
    for (uint32_t left = items; left; left &= left - 1)
        if (all[__builtin_ctz(left)].column == column)
            out |= left & -left;
    return out;
}

static bool
fill_column(struct embedded_groups *result, uint32_t items, const struct bitmap *rows,
            const uint32_t *groups, size_t group_count, uint64_t deadline_us, struct err *err)
{
    const struct groups_question *q = result->question;
    size_t index = q->items[__builtin_ctz(items)].column;
    SCOPED(free_work) struct work w = {.result = result, .items = items};
    w.column = &result->version->columns.columns[index];
    w.key = (struct groups_key){.column = index, .type = w.column->type};
    w.answer.request = &q->stats;
    w.cells = arena_array(&w.room, result->pairs->row_count_max, uint64_t);
    for (uint32_t left = items; left; left &= left - 1)
        w.asked |= BIT(q->items[__builtin_ctz(left)].aggregate);
    if (w.asked & BIT(STATS_DISTINCT)) {
        if (!embedded_groups_codes_make(&w.room, w.column, &w.key, rows, true, GROUPS_NO_CODE,
                                        &w.codes, err))
            return false;
        w.last_group = arena_array(&w.room, w.codes.count, uint32_t);
    }
    for (size_t i = 0; i < group_count; i++) {
        if (i % GROUPS_PER_LOOK == 0 && !embedded_groups_check_deadline(deadline_us, err))
            return false;
        fill_group(&w, groups[i]);
    }
    return true;
}

static void
fill_row_counts(struct embedded_groups *result, size_t item, const uint32_t *groups,
                size_t group_count)
{
    for (size_t i = 0; i < group_count; i++)
        result->values[item][groups[i]] = (struct stats_result){
            .kind = STATS_UINT, .u = result->pairs->row_counts[groups[i]]};
}

bool
embedded_groups_values_fill(struct arena *a, struct embedded_groups *result, uint32_t items,
                            const struct bitmap *rows, const uint32_t *groups,
                            size_t group_count, uint64_t deadline_us, struct err *err)
{
    uint32_t left = 0;
    for (; items; items &= items - 1) {
        size_t item = (size_t)__builtin_ctz(items);
        if (result->values[item])
            continue;
        result->values[item] = arena_array(a, result->pairs->count, struct stats_result);
        if (is_row_count(&result->question->items[item], result->version))
            fill_row_counts(result, item, groups, group_count);
        else
            left |= items & -items;
    }
    while (left) {
        uint32_t together = items_of_column(result, left);
        if (!fill_column(result, together, rows, groups, group_count, deadline_us, err))
            return false;
        left &= ~together;
    }
    return true;
}
