/* The AND is narrowed predicate by predicate, cheapest first, and ends when no
 * row is left.  Ways to answer a predicate, by what is cheaper:
 *   - a scan kernel per test over the whole column;
 *   - for long in-lists, one pass that looks each row's value up among the ordered tests;
 *   - for text, once few rows are left, a look at those rows only;
 *   - for long text, the trigrams, and a look at the rows that they leave. */
#include "embedded/filter.h"

#include "base/clock.h"
#include "embedded/rows_walk.h"
#include "index/block.h"
#include "index/scan.h"
#include "query/filter_tree.h"

#include <stdlib.h>
#include <string.h>

/* From here on one lookup per row beats a scan per value. */
#define LOOKUP_TESTS_MIN 8
/* Per byte, a cell visited alone costs some eight times what the scan pays (three-letter word
 * in 10,715 of 88,349 texts of 1.4 kB: 10 ms against 9 for all of them). */
#define VISIT_SHARE 16

struct run {
    struct arena *arena;
    const struct embedded_version *version;
    struct bitmap rows;       /* matches so far */
    struct bitmap hits;       /* of the predicate at hand */
    struct bitmap candidates; /* of a search by trigrams; made by the first */
    uint64_t deadline_us;
    uint64_t row_count; /* left in `rows` */
};

static bool
check_deadline(const struct run *run, struct err *err)
{
    if (!clock_is_past(run->deadline_us))
        return true;
    return err_set_code(err, ERR_BUSY, "deadline",
                        "the filter took longer than a request may; narrow it");
}

static int
compare_to_needle(const void *key, const void *test)
{
    return str_cmp(*(const struct str *)key, ((const struct filter_test *)test)->needle);
}

static bool
has_needle(const struct predicate *p, struct str text)
{
    return bsearch(&text, p->tests, p->test_count, sizeof(*p->tests), compare_to_needle);
}

static int
compare_to_span(const void *key, const void *test)
{
    int64_t v = *(const int64_t *)key;
    const struct filter_test *t = test;
    return v < t->ints.lo ? -1 : v > t->ints.hi;
}

static void
look_up_ints(struct run *run, const struct predicate *p, const struct column *c)
{
    struct block_reader ints = block_reader_of(c, BLOCK_INTS);
    struct rows_walk walk = {.rows = &run->rows};
    uint64_t r;
    while (embedded_rows_walk_next(&walk, &r)) {
        int64_t v = block_int(&ints, r);
        if (!block_is_null(&ints, r) &&
            bsearch(&v, p->tests, p->test_count, sizeof(*p->tests), compare_to_span))
            bitmap_set(&run->hits, r);
    }
}

static void
look_up_texts(struct run *run, const struct predicate *p, const struct column *c)
{
    struct block_reader texts = block_reader_of(c, BLOCK_TEXTS);
    struct rows_walk walk = {.rows = &run->rows};
    uint64_t r;
    while (embedded_rows_walk_next(&walk, &r)) {
        const struct block *b = block_at(&texts, r);
        if (has_needle(p, block_text(b, r - b->first)))
            bitmap_set(&run->hits, r);
    }
}

/* Each distinct element is looked up once; rows only ask for their elements' marks. */
static void
look_up_elements(struct run *run, const struct predicate *p, const struct column *c)
{
    struct block elements = block_of_elements(c);
    struct block_reader reader = block_reader_of(c, BLOCK_IDS);
    bool *is_match = arena_array(run->arena, elements.count, bool);
    for (size_t id = 0; id < elements.count; id++)
        is_match[id] = has_needle(p, block_text(&elements, id));
    for (uint64_t r = 0; r < c->row_count; r++) {
        size_t count;
        const uint32_t *ids = block_ids(&reader, r, &count);
        for (size_t i = 0; i < count; i++)
            if (ids[i] < elements.count && is_match[ids[i]])
                bitmap_set(&run->hits, r);
    }
}

/* By the trigrams of the column; false when it has none, the needle is too short for them, or
 * they turn out to be damaged: whoever asks scans then. */
static bool
search_text(struct run *run, const struct predicate *p, const struct filter_test *t,
            const struct column *c)
{
    size_t index = (size_t)(c - run->version->columns.columns);
    const struct trigrams_column *trigrams = trigrams_find(&run->version->trigrams, index);
    if (!trigrams || t->needle.n < TRIGRAM_BYTES || p->match == MATCH_EQUALS)
        return false;
    struct bitmap *candidates = &run->candidates;
    if (!candidates->words)
        *candidates = bitmap_new(run->arena, c->row_count);
    memcpy(candidates->words, run->rows.words, bitmap_word_count(c->row_count) * 8);
    if (!trigrams_narrow(trigrams, t->needle, candidates))
        return false;
    if (p->match == MATCH_CONTAINS && t->needle.n == TRIGRAM_BYTES)
        bitmap_or(&run->hits, candidates);
    else
        scan_text_rows(c, p->match, t->needle, candidates, &run->hits);
    return true;
}

static void
match_text(struct run *run, const struct predicate *p, const struct filter_test *t,
           const struct column *c)
{
    if (search_text(run, p, t, c))
        return;
    if (run->row_count < c->row_count / VISIT_SHARE)
        scan_text_rows(c, p->match, t->needle, &run->rows, &run->hits);
    else
        scan_text(c, p->match, t->needle, &run->hits);
}

static void
scan_test(struct run *run, const struct predicate *p, const struct filter_test *t,
          const struct column *c)
{
    switch (p->kind) {
    case PREDICATE_INTS:
        if (t->ints.lo <= t->ints.hi)
            scan_int_range(c, t->ints.lo, t->ints.hi, &run->hits);
        break;
    case PREDICATE_REALS:
        scan_real_range(c, t->reals.lo, t->reals.lo_open, t->reals.hi, t->reals.hi_open,
                        &run->hits);
        break;
    case PREDICATE_TEXT:
        match_text(run, p, t, c);
        break;
    case PREDICATE_TEXT_ORDER:
        scan_text_order(c, p->order, t->needle, &run->hits);
        break;
    case PREDICATE_LIST:
        scan_list(c, p->match, t->needle, &run->hits);
        break;
    case PREDICATE_NULL:
        break;
    }
}

static bool
match_column(struct run *run, const struct predicate *p, const struct column *c,
             struct err *err)
{
    bool is_lookup = p->test_count >= LOOKUP_TESTS_MIN;
    bool is_equality = p->match == MATCH_EQUALS;
    if (p->kind == PREDICATE_NULL) {
        scan_nulls(c, &run->hits);
    } else if (p->kind == PREDICATE_INTS && is_lookup) {
        look_up_ints(run, p, c);
    } else if (p->kind == PREDICATE_LIST && is_lookup && is_equality) {
        look_up_elements(run, p, c);
    } else if (p->kind == PREDICATE_TEXT && is_lookup && is_equality) {
        look_up_texts(run, p, c);
    } else {
        for (size_t t = 0; t < p->test_count; t++) {
            if (!check_deadline(run, err))
                return false;
            scan_test(run, p, &p->tests[t], c);
        }
    }
    return true;
}

static bool
match_any_text(struct run *run, const struct predicate *p, struct err *err)
{
    const struct columns *columns = &run->version->columns;
    for (size_t i = 0; i < columns->column_count; i++)
        if (columns->columns[i].type == COLUMN_TEXT &&
            (!check_deadline(run, err) || !match_column(run, p, &columns->columns[i], err)))
            return false;
    return true;
}

static bool
run_predicate(struct run *run, const struct predicate *p, struct err *err)
{
    memset(run->hits.words, 0, bitmap_word_count(run->hits.row_count) * sizeof(uint64_t));
    if (p->column == FILTER_ANY_TEXT) {
        if (!match_any_text(run, p, err))
            return false;
        bitmap_and(&run->rows, &run->hits);
        return true;
    }
    const struct column *c = &run->version->columns.columns[p->column];
    if (!match_column(run, p, c, err))
        return false;
    if (p->is_negated) {
        scan_nulls(c, &run->hits); /* a null matches isnull only */
        bitmap_and_not(&run->rows, &run->hits);
    } else {
        bitmap_and(&run->rows, &run->hits);
    }
    return true;
}

/* Bytes read, about. */
static uint64_t
cost_of(const struct predicate *p, const struct embedded_version *version)
{
    const struct columns *columns = &version->columns;
    uint64_t cost = 0;
    if (p->kind == PREDICATE_NULL)
        return 0;
    if (p->column == FILTER_ANY_TEXT) {
        for (size_t i = 0; i < columns->column_count; i++)
            if (columns->columns[i].type == COLUMN_TEXT)
                cost += column_text_bytes(&columns->columns[i]);
        return cost;
    }
    const struct column *c = &columns->columns[p->column];
    uint64_t test_count = MIN(p->test_count, LOOKUP_TESTS_MIN);
    const struct trigrams_column *trigrams = trigrams_find(&version->trigrams, p->column);
    if (p->kind == PREDICATE_TEXT && p->match == MATCH_CONTAINS && trigrams &&
        p->tests[0].needle.n >= TRIGRAM_BYTES)
        return trigrams_cost(trigrams, p->tests[0].needle) * test_count;
    if (p->kind == PREDICATE_TEXT && p->match == MATCH_CONTAINS)
        return column_text_bytes(c) * test_count;
    return c->row_count * sizeof(uint64_t) * test_count;
}

struct step {
    uint64_t cost;
    const struct predicate *predicate;
};

static int
compare_steps(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    return (x->cost > y->cost) - (x->cost < y->cost);
}

bool
embedded_filter_run(struct arena *a, const struct filter *filter,
                    const struct embedded_version *version, uint64_t deadline_us,
                    struct bitmap *out, struct err *err)
{
    struct run run = {.arena = a,
                      .version = version,
                      .rows = bitmap_new_full(a, version->row_count),
                      .hits = bitmap_new(a, version->row_count),
                      .deadline_us = deadline_us,
                      .row_count = version->row_count};
    struct step *steps = arena_array(a, filter->predicate_count, struct step);
    for (size_t i = 0; i < filter->predicate_count; i++)
        steps[i] =
            (struct step){cost_of(&filter->predicates[i], version), &filter->predicates[i]};
    qsort(steps, filter->predicate_count, sizeof(*steps), compare_steps);
    for (size_t i = 0; i < filter->predicate_count && run.row_count > 0; i++) {
        if (!check_deadline(&run, err) || !run_predicate(&run, steps[i].predicate, err))
            return false;
        run.row_count = bitmap_count(&run.rows);
    }
    *out = run.rows;
    return true;
}
