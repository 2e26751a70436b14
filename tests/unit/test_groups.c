/* Groups and histograms against the plain model of groups_model.h. */
#include "groups_model.h"

#include "embedded/histogram.h"
#include "query/groups_word.h"

static bool
parse(struct arena *a, const char *by, struct str aggregate, const char *having,
      const char *sort, struct groups_question *out, struct err *err)
{
    struct groups_text text = {.by_name = "by",
                               .by = str_from(by),
                               .aggregate = aggregate,
                               .having = str_from(having),
                               .sort = str_from(sort)};
    return groups_parse(a, &fixture.version.common.schema, &text, out, err);
}

static struct groups_result
ask(struct arena *a, const char *by, struct str aggregate, const char *having, const char *sort,
    const struct bitmap *rows, uint64_t offset, uint64_t limit)
{
    struct groups_question *question = arena_new(a, struct groups_question);
    struct groups_result result;
    struct err err = {0};
    if (!parse(a, by, aggregate, having, sort, question, &err) ||
        !embedded_groups_run(a, question, &fixture.version, rows, offset, limit, 0, &result,
                             &err))
        fail_msg("by=%s: %s", by, err.detail);
    return result;
}

/* Valid until the next. */
static struct groups_group
group_of(const struct groups_result *result, size_t i)
{
    struct groups_group group;
    struct err err = {0};
    if (!EMBEDDED_ENGINE.group(NULL, result, i, &group, &err))
        fail_msg("group %zu: %s", i, err.detail);
    return group;
}

static void
add_json(struct buf *out, const struct groups_result *result, size_t i)
{
    struct groups_group group = group_of(result, i);
    groups_add_json_row(out, result->question, &group);
}

static void
assert_is_model(struct arena *a, const char *by, const struct model *m, size_t column,
                const struct bitmap *rows)
{
    struct groups_result result = ask(a, by, all_aggregates(a, column), "", "", rows, 0, 0);
    assert_int_equal(result.total, m->count);
    assert_int_equal(result.group_count, m->count);
    for (size_t i = 0; i < m->count; i++) {
        scoped_buf seen = {.max = 64 * KIB}, wanted = {.max = 64 * KIB};
        add_json(&seen, &result, i);
        add_model_group(&wanted, m, &m->groups[i], column);
        if (!str_eq(buf_str(&seen), buf_str(&wanted)))
            fail_msg("by=%s, group %zu:\n%" STR_FMT "\nshould be\n%" STR_FMT, by, i,
                     STR_ARG(buf_str(&seen)), STR_ARG(buf_str(&wanted)));
    }
}

static struct bitmap
some_rows(struct arena *a)
{
    struct bitmap rows = bitmap_new(a, fixture.row_count);
    uint64_t share = dice_below(5);
    for (uint64_t row = 0; share < 4 && row < fixture.row_count; row++)
        if (share == 0 || dice_below(share + 1) == 0)
            bitmap_set(&rows, row);
    return rows;
}

static void
every_key_groups_as_the_model_does(void **state UNUSED)
{
    dice_begin(__func__);
    for (size_t i = 0; i < COUNT_OF(BYS); i++)
        for (size_t round = 0; round < dice_rounds(3); round++) {
            scoped_arena a = {0};
            struct bitmap rows = some_rows(&a);
            struct model m = model_make(&a, &BYS[i], NULL, &rows);
            dice_reach("no group", m.count == 0);
            dice_reach("groups", m.count > 0);
            assert_is_model(&a, BYS[i].text, &m, dice_below(FIXTURE_COLUMNS), &rows);
        }
    dice_end();
}

static void
two_keys_group_as_the_model_does(void **state UNUSED)
{
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(60); round++) {
        scoped_arena a = {0};
        const struct by *first = &BYS[dice_below(COUNT_OF(BYS))];
        const struct by *second = &BYS[dice_below(COUNT_OF(BYS))];
        if (first == second)
            continue;
        struct bitmap rows = some_rows(&a);
        struct model m = model_make(&a, first, second, &rows);
        dice_reach("few groups", m.count < 10);
        dice_reach("many", m.count > 50);
        struct str by = arena_printf(&a, "%s, %s", first->text, second->text);
        assert_is_model(&a, by.p, &m, dice_below(FIXTURE_COLUMNS), &rows);
    }
    dice_end();
}

static struct str
text_of_page(struct arena *a, const struct groups_result *result)
{
    scoped_buf out = {.max = MIB};
    for (size_t i = 0; i < result->group_count; i++)
        add_json(&out, result, i);
    return arena_str(a, buf_str(&out));
}

static void
pages_are_chunks_of_the_whole_in_any_order(void **state UNUSED)
{
    dice_begin(__func__);
    static const char *const SORTS[] = {"",      "-count", "sum(age),-name",   "-max(price)",
                                        "-name", "name",   "-min(seen),count", "iqr(age)",
                                        "-about"};
    for (size_t i = 0; i < COUNT_OF(SORTS); i++) {
        scoped_arena a = {0};
        struct bitmap rows = some_rows(&a);
        struct str shown = STR("count,mean(price)");
        const char *by = strstr(SORTS[i], "about") ? "about" : "name,day";
        struct groups_result all = ask(&a, by, shown, "", SORTS[i], &rows, 0, 0);
        scoped_buf walked = {.max = MIB};
        uint64_t limit = 1 + dice_below(9);
        for (uint64_t offset = 0; offset < all.total; offset += limit) {
            struct groups_result page = ask(&a, by, shown, "", SORTS[i], &rows, offset, limit);
            assert_int_equal(page.has_more, offset + limit < all.total);
            dice_reach("a page between", page.has_more);
            dice_reach("a last page that is not full", page.group_count < limit);
            assert_int_equal(page.total, all.total);
            buf_add(&walked, text_of_page(&a, &page));
        }
        assert_true(str_eq(buf_str(&walked), text_of_page(&a, &all)));
    }
    dice_end();
}

static double
number(struct stats_result r)
{
    return r.kind == STATS_UINT ? (double)r.u : r.kind == STATS_REAL ? r.d : (double)r.i;
}

static void
having_keeps_what_passes_and_sort_orders_it(void **state UNUSED)
{
    dice_begin(__func__);
    static const char *const OPERATORS[] = {
        "__gt=", "__gte=", "__lt=", "__lte=", "__not=", "=", "__isnull=", "__notnull="};
    for (size_t round = 0; round < dice_rounds(200); round++) {
        scoped_arena a = {0};
        struct bitmap rows = some_rows(&a);
        size_t op = dice_below(COUNT_OF(OPERATORS));
        int bound = op < 6 ? (int)dice_below(20) - 3 : (int)dice_below(2);
        struct str having = arena_printf(&a, "max(min_price)=%d, median(price)%s%d",
                                         (int)dice_below(4), OPERATORS[op], bound);
        bool is_reversed = dice_below(2);
        struct groups_result all =
            ask(&a, "tags,day", STR("median(price),max(min_price)"), "", "", &rows, 0, 0);
        struct groups_result some =
            ask(&a, "tags,day", STR("median(price),max(min_price)"), having.p,
                is_reversed ? "-median(price)" : "median(price)", &rows, 0, 0);
        int most = having.p[strlen("max(min_price)=")] - '0';
        size_t wanted = 0;
        for (size_t i = 0; i < all.group_count; i++) {
            struct stats_result median = group_of(&all, i).values[0];
            bool is_null = median.kind == STATS_NONE;
            double v = is_null ? 0 : number(median);
            const bool passes[] = {v > bound,  v >= bound, v < bound, v <= bound,
                                   v != bound, v == bound, false,     false};
            bool is_kept = op == 6   ? is_null == (bound == 1)
                           : op == 7 ? is_null == (bound == 0)
                                     : !is_null && passes[op];
            dice_reach("null", is_null);
            dice_reach("kept", is_kept);
            dice_reach("dropped", !is_kept);
            wanted += is_kept && (int)number(group_of(&all, i).values[1]) == most;
        }
        assert_int_equal(some.total, wanted);
        for (size_t i = 1; i < some.group_count; i++) {
            struct stats_result x = group_of(&some, i - 1).values[0];
            struct stats_result y = group_of(&some, i).values[0];
            if (y.kind != STATS_NONE)
                assert_true(x.kind != STATS_NONE &&
                            (is_reversed ? number(x) >= number(y) : number(x) <= number(y)));
        }
    }
    dice_end();
}

static void
bounds_are_held(void **state UNUSED)
{
    scoped_arena a = {0};
    struct bitmap rows = bitmap_new_full(&a, fixture.row_count);
    struct groups_question question;
    struct groups_result result;
    static const char *const LONG[] = {"id", "about", "about,id", "tags,name", "price:0.01,id"};
    for (size_t i = 0; i < COUNT_OF(LONG); i++) {
        struct err err = {0};
        assert_true(parse(&a, LONG[i], STR(""), "", "", &question, &err));
        question.group_count_max = 20;
        assert_false(embedded_groups_run(&a, &question, &fixture.version, &rows, 0, 1, 0,
                                         &result, &err));
        assert_string_equal(err_code(&err), "too_many_groups");
        assert_int_equal(err.kind, ERR_BAD_PARAMETER);
    }
    struct err err = {0};
    assert_true(parse(&a, "min_price", STR(""), "", "", &question, &err));
    question.group_count_max = 4; /* as many as there are */
    assert_true(
        embedded_groups_run(&a, &question, &fixture.version, &rows, 0, 0, 0, &result, &err));
    assert_false(
        embedded_groups_run(&a, &question, &fixture.version, &rows, 0, 0, 1, &result, &err));
    assert_string_equal(err_code(&err), "deadline");
}

/* What a column takes by the row is given back before the next one: with many columns of a
 * large version it comes to gigabytes. */
static void
many_columns_take_the_memory_of_one(void **state UNUSED)
{
    scoped_arena one = {0}, many = {0};
    struct bitmap rows = bitmap_new_full(&one, fixture.row_count);
    size_t before = one.total;
    ask(&one, "free", STR("distinct(id)"), "", "", &rows, 0, 0);
    ask(&many, "free",
        STR("distinct(id),distinct(age),distinct(price),distinct(day),distinct(seen),"
            "distinct(name),distinct(about),distinct(min_price),mean(price),mean(id)"),
        "", "", &rows, 0, 0);
    assert_in_range(many.total, 1, one.total - before + fixture.row_count * sizeof(uint32_t));
}

static void
nothing_selected_makes_no_groups(void **state UNUSED)
{
    scoped_arena a = {0};
    struct bitmap none = bitmap_new(&a, fixture.row_count);
    for (size_t i = 0; i < COUNT_OF(BYS); i++) {
        struct groups_result result =
            ask(&a, BYS[i].text, STR("median(price)"), "", "-count", &none, 0, 10);
        assert_int_equal(result.total, 0);
        assert_false(result.has_more);
    }
}

/* Each decimal is the edge of its own bin, whatever the division of the doubles says (0.3 / 0.1
 * is below 3), and what is just below an edge is not. */
static void
decimals_begin_their_own_bins(void **state UNUSED)
{
    scoped_arena a = {0};
    struct groups_question q;
    struct err err = {0};
    for (int64_t k = -2000; k <= 2000; k++) {
        static const struct {
            const char *by;
            int64_t digits;
            double scale;
        } WIDTHS[] = {{"price:0.1", 1, 10}, {"price:0.07", 7, 100}, {"price:2.50", 25, 10}};
        for (size_t i = 0; i < COUNT_OF(WIDTHS); i++) {
            double edge = (double)(k * WIDTHS[i].digits) / WIDTHS[i].scale;
            double before = (double)((k - 1) * WIDTHS[i].digits) / WIDTHS[i].scale;
            double below = nextafter(edge, -INFINITY);
            assert_true(parse(&a, WIDTHS[i].by, STR(""), "", "", &q, &err));
            assert_true(groups_real_of_word(groups_word_of_real(&q.keys[0], edge)) == edge);
            assert_true(groups_real_of_word(groups_word_of_real(&q.keys[0], below)) == before);
        }
    }
}

/* Beside a key that is called count, the rows' count is count(). */
static void
labels_do_not_collide(void **state UNUSED)
{
    scoped_arena a = {0};
    struct schema_column columns[] = {
        {.name = STR_INIT("count"), .header = STR_INIT("count"), .type = COLUMN_INTEGER}};
    struct schema schema = {.columns = columns, .column_count = 1};
    struct groups_question q;
    struct groups_text text = {.by_name = "by",
                               .by = STR("count"),
                               .aggregate = STR("count, count(count), count()"),
                               .sort = STR("-count,count()")};
    struct err err = {0};
    assert_true(groups_parse(&a, &schema, &text, &q, &err));
    assert_int_equal(q.shown_count, 2);
    assert_true(str_eq(q.items[0].label, STR("count()")));
    assert_true(str_eq(q.items[1].label, STR("count(count)")));
    assert_true(q.orders[0].is_key && q.orders[0].is_descending);
    assert_true(!q.orders[1].is_key && q.orders[1].index == 0);
}

static void
csv_lines_hold_the_same_groups(void **state UNUSED)
{
    scoped_arena a = {0};
    struct bitmap rows = bitmap_new(&a, fixture.row_count);
    for (uint64_t row = 0; row < fixture.row_count; row++)
        if (str_eq(fixture.rows[row][NAME].text, STR("=1+1")))
            bitmap_set(&rows, row);
    struct groups_result result =
        ask(&a, "name,min_price:10", STR("count,count(name)"), "", "", &rows, 0, 0);
    scoped_buf seen = {.max = KIB};
    groups_add_csv_header(&seen, result.question);
    struct groups_group group = group_of(&result, 0);
    for (int is_raw = 0; is_raw < 2; is_raw++)
        groups_add_csv_row(&seen, result.question, &group, is_raw);
    unsigned long long n = bitmap_count(&rows);
    struct str wanted = arena_printf(&a,
                                     "name,min_price:10,count,count(name)\r\n"
                                     "\"'=1+1\",0,%llu,%llu\r\n=1+1,0,%llu,%llu\r\n",
                                     n, n, n, n);
    assert_string_equal(arena_cstr(&a, buf_str(&seen)), wanted.p);
}

/* Each value lies in the bin whose edges say so, and the edges are NumPy's. */
static void
histograms_count_by_their_edges(void **state UNUSED)
{
    dice_begin(__func__);
    static const size_t COLUMNS[] = {ID, AGE, PRICE, DAY, SEEN, MIN_AGE};
    static const size_t BINS[] = {1, 2, 3, 10, 1000};
    for (size_t round = 0; round < dice_rounds(60); round++) {
        scoped_arena a = {0};
        struct bitmap rows = some_rows(&a);
        size_t column = COLUMNS[dice_below(COUNT_OF(COLUMNS))];
        struct histogram h;
        embedded_histogram_make(&a, &fixture.version.columns.columns[column], &rows,
                                BINS[dice_below(COUNT_OF(BINS))], &h);
        dice_reach("no value", h.values == 0);
        dice_reach("one bin", h.bin_count == 1);
        dice_reach("many bins", h.bin_count > 1);
        assert_int_equal(h.values + h.nulls, bitmap_count(&rows));
        if (h.values == 0) {
            assert_int_equal(h.bin_count, 0);
            continue;
        }
        double step = (h.edges[h.bin_count] - h.edges[0]) / (double)h.bin_count;
        for (size_t i = 0; i < h.bin_count; i++)
            assert_true(h.edges[i] == (double)i * step + h.edges[0]);
        uint64_t *counts = arena_array(&a, h.bin_count, uint64_t), nulls = 0;
        for (uint64_t row = bitmap_next(&rows, 0); row < fixture.row_count;
             row = bitmap_next(&rows, row + 1)) {
            const struct value *v = &fixture.rows[row][column];
            double x = column == PRICE ? v->d : (double)v->i;
            if (column == DAY)
                x *= (double)DATE_MS_PER_DAY;
            nulls += v->is_null;
            size_t bin = h.bin_count - 1;
            while (bin > 0 && x < h.edges[bin])
                bin--;
            if (!v->is_null)
                counts[bin]++;
        }
        dice_reach("nulls", nulls);
        assert_int_equal(h.nulls, nulls);
        assert_memory_equal(counts, h.counts, h.bin_count * sizeof(*counts));
    }
    dice_end();
}

static void
one_value_lies_in_the_middle_of_its_histogram(void **state UNUSED)
{
    scoped_arena a = {0};
    struct bitmap rows = bitmap_new(&a, fixture.row_count);
    struct histogram h;
    embedded_histogram_make(&a, &fixture.version.columns.columns[ID], &rows, 4, &h);
    assert_int_equal(h.bin_count, 0);
    assert_int_equal(h.min.kind, STATS_NONE);
    bitmap_set(&rows, 0);
    embedded_histogram_make(&a, &fixture.version.columns.columns[ID], &rows, 4, &h);
    assert_true(h.edges[0] == -0.5 && h.edges[4] == 0.5);
    assert_int_equal(h.counts[2], 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_groups_as_the_model_does),
        cmocka_unit_test(two_keys_group_as_the_model_does),
        cmocka_unit_test(pages_are_chunks_of_the_whole_in_any_order),
        cmocka_unit_test(having_keeps_what_passes_and_sort_orders_it),
        cmocka_unit_test(bounds_are_held),
        cmocka_unit_test(many_columns_take_the_memory_of_one),
        cmocka_unit_test(nothing_selected_makes_no_groups),
        cmocka_unit_test(decimals_begin_their_own_bins),
        cmocka_unit_test(labels_do_not_collide),
        cmocka_unit_test(csv_lines_hold_the_same_groups),
        cmocka_unit_test(histograms_count_by_their_edges),
        cmocka_unit_test(one_value_lies_in_the_middle_of_its_histogram),
    };
    return cmocka_run_group_tests_name("groups", tests, fixture_set_up, fixture_tear_down);
}
