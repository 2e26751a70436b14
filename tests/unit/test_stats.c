/* Statistics against constants from exact rational arithmetic (Python's fractions.Fraction over
 * the very doubles, rounded once), which NumPy 1.24 and SciPy 1.10 match where the data are
 * harmless.  Each case stands among nulls and rows that the bitmap leaves out. */
#include "base/date.h"
#include "base/num.h"
#include "columns_file.h"
#include "dice.h"
#include "embedded/stats.h"
#include "embedded/stats_select.h"
#include "json_member.h"
#include "query/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct arena a;
    struct columns columns;
    struct bitmap rows;
};

/* Behind every selected value stands one that is not selected, and every third is a selected
 * null. */
static void
make_fixture(struct fixture *f, enum column_type type, const struct value *values, size_t n)
{
    struct err err = {0};
    *f = (struct fixture){0};
    struct columns_spec spec = {type, 64 * KIB};
    struct value left_out = {.i = 77, .text = STR("left out")};
    struct value null = {.is_null = true};
    struct value *rows = arena_array(&f->a, 3 * n, struct value);
    f->rows = bitmap_new(&f->a, 3 * n);
    for (size_t i = 0; i < n; i++) {
        rows[3 * i] = values[i];
        rows[3 * i + 1] = left_out;
        rows[3 * i + 2] = column_type_is_textual(type) ? left_out : null;
        bitmap_set(&f->rows, 3 * i);
        if (!column_type_is_textual(type))
            bitmap_set(&f->rows, 3 * i + 2);
    }
    scoped_fd fd = columns_file(&spec, 1, rows, 3 * n);
    assert_true(columns_open(&f->a, &f->columns, fd, &err));
}

static void
free_fixture(struct fixture *f)
{
    columns_close(&f->columns);
    arena_free(&f->a);
}

static struct str
answer(struct fixture *f, const char *aggregate, const char *percentiles, unsigned ddof,
       bool is_unbiased)
{
    struct err err = {0};
    struct stats_request request;
    assert_true(stats_parse(&f->a, str_from(aggregate), str_from(percentiles), ddof,
                            is_unbiased, &request, &err));
    scoped_buf out = {.max = 64 * KIB};
    struct stats_answer answer;
    embedded_stats_of(&f->columns.columns[0], &f->rows, &request, &answer);
    assert_true(stats_add_json(&out, &answer, &err));
    return arena_str(&f->a, buf_str(&out));
}

static void
assert_number(struct str json, const char *name, double wanted, double scale)
{
    struct str text = json_member(json, str_from(name));
    double seen;
    if (!isfinite(wanted)) {
        if (!str_eq(text, STR("null")))
            fail_msg("%s is %.*s, should be null", name, STR_ARG(text));
        return;
    }
    if (!num_parse_f64(text, &seen) ||
        fabs(seen - wanted) > fmax(1e-9 * fabs(wanted), 1e-12 * scale))
        fail_msg("%s is %.*s, should be %.17g", name, STR_ARG(text), wanted);
}

struct expected {
    double sum, mean, median, variance, std_dev, iqr, skewness, kurtosis;
};

static void
check_answer(struct fixture *f, unsigned ddof, bool is_unbiased, const struct expected *e)
{
    struct str json = answer(f, "all", "", ddof, is_unbiased);
    double scale = fmin(fabs(e->std_dev), 1e300);
    assert_number(json, "sum", e->sum, scale);
    assert_number(json, "mean", e->mean, scale);
    assert_number(json, "median", e->median, scale);
    assert_number(json, "variance", e->variance, 0);
    assert_number(json, "std_dev", e->std_dev, 0);
    assert_number(json, "iqr", e->iqr, scale);
    assert_number(json, "skewness", e->skewness, 1);
    assert_number(json, "kurtosis", e->kurtosis, 1);
}

static void
check_reals(const double *values, size_t n, unsigned ddof, bool is_unbiased, struct expected e)
{
    struct value cells[1024] = {0};
    for (size_t i = 0; i < n; i++)
        cells[i].d = values[i];
    struct fixture f;
    make_fixture(&f, COLUMN_REAL, cells, n);
    check_answer(&f, ddof, is_unbiased, &e);
    free_fixture(&f);
}

static void
check_ints(const int64_t *values, size_t n, unsigned ddof, bool is_unbiased, struct expected e)
{
    struct value cells[1024] = {0};
    for (size_t i = 0; i < n; i++)
        cells[i].i = values[i];
    struct fixture f;
    make_fixture(&f, COLUMN_INTEGER, cells, n);
    check_answer(&f, ddof, is_unbiased, &e);
    free_fixture(&f);
}

static void
numbers_agree_with_numpy_and_scipy(void **state)
{
    (void)state;
    double x[1000];
    /* [(i * 7919 % 1000) / 8 for i in range(997)] */
    for (int i = 0; i < 997; i++)
        x[i] = (double)(i * 7919 % 1000) / 8;
    check_reals(x, 997, 0, false,
                (struct expected){62376.75, 62.56444332998997, 62.625, 1300.4228468064675,
                                  36.06137610805316, 62.25, -0.005187816769565253,
                                  -1.1969248742012948});
    /* [(i ** 3 % 1009) ** 3 / 64 for i in range(1000)] */
    for (int i = 0; i < 1000; i++)
        x[i] = pow((double)(i * i * i % 1009), 3) / 64;
    check_reals(x, 1000, 0, false,
                (struct expected){3951062148.9375, 3951062.1489375, 1959043.0234375,
                                  20539501027861.7, 4532052.628540593, 6330720.27734375,
                                  1.106430070277047, -0.0019317681366896385});
    /* var(ddof=1), skew(bias=False), kurtosis(bias=False) */
    check_reals(x, 1000, 1, true,
                (struct expected){3951062148.9375, 3951062.1489375, 1959043.0234375,
                                  20560061088950.652, 4534320.355792106, 6330720.27734375,
                                  1.1080929026743032, 0.004082622411401035});
    /* [i * 7919 % 1000 - 500 for i in range(1001)] */
    int64_t ints[1001];
    for (int i = 0; i < 1001; i++)
        ints[i] = i * 7919 % 1000 - 500;
    check_ints(ints, 1001, 0, false,
               (struct expected){-1000, -0.999000999000999, -1, 83499.001997004,
                                 288.961938664946, 500, 2.06194378688822e-05,
                                 -1.2000307954688656});
}

static void
ill_conditioned_numbers_stay_exact(void **state)
{
    (void)state;
    double x[1000];
    /* [1e9 + (i * 37 % 101) / 1024 for i in range(1000)]; SciPy's skew is 0.6 % off here */
    for (int i = 0; i < 1000; i++)
        x[i] = 1e9 + (double)(i * 37 % 101) / 1024;
    check_reals(x, 1000, 0, false,
                (struct expected){1000000000048.8379, 1000000000.0488379, 1000000000.0488281,
                                  0.0008120020866394043, 0.02849565031087033, 0.048828125,
                                  -0.00017715486383428978, -1.2007298083379132});
    /* [1e15 + (i % 7) / 8 for i in range(70)]: the mean is between two doubles.  The variance
     * is given, and is small enough beside the mean to count as zero for the shape. */
    for (int i = 0; i < 70; i++)
        x[i] = 1e15 + (double)(i % 7) / 8;
    check_reals(x, 70, 0, false,
                (struct expected){7.0000000000000024e+16, 1000000000000000.4,
                                  1000000000000000.4, 0.0625, 0.25, 0.5, NAN, NAN});
    check_reals((double[]){1e16, 1, -1e16, 3}, 4, 0, false,
                (struct expected){4, 1, 2, 5e+31, 7071067811865475.0, 5000000000000002.0,
                                  -4.242640687119285e-16, -1});
}

static void
extreme_magnitudes_neither_overflow_nor_vanish(void **state)
{
    (void)state;
    check_reals((double[]){1.5e308, -1.5e308, 1e308}, 3, 0, false,
                (struct expected){1e308, 3.333333333333333e+307, 1e308, INFINITY,
                                  1.3123346456686351e+308, 1.5e+308, -0.6309038567106238,
                                  -1.5});
    /* The sum is beyond double, the mean is not. */
    check_reals((double[]){1.5e308, 1.5e308, 1e308}, 3, 0, false,
                (struct expected){INFINITY, 1.3333333333333333e+308, 1.5e308, INFINITY,
                                  2.357022603955158e+307, 2.5e+307, -0.7071067811865476, -1.5});
    double x[9];
    for (int i = 0; i < 9; i++)
        x[i] = i * 1e-300;
    check_reals(x, 9, 0, false,
                (struct expected){3.6e-299, 4e-300, 4e-300, 0, 2.5819888974716115e-300,
                                  4.000000000000001e-300, 0, -1.23});
    /* The smallest double there is; half of it is none, but the shape is known. */
    check_reals((double[]){5e-324, 0, 0, 5e-324}, 4, 1, false,
                (struct expected){1e-323, 0, 0, 0, 5e-324, 5e-324, 0, -2});
    check_ints((int64_t[]){INT64_MIN, INT64_MAX, 0, 5}, 4, 0, false,
               (struct expected){4, 1, 2.5, 4.253529586511731e+37, 6.521908912666392e+18,
                                 4.611686018427388e+18, 0, -1});
    check_ints((int64_t[]){INT64_MAX, INT64_MAX, 3, 1}, 4, 0, false,
               (struct expected){1.8446744073709552e+19, 4.611686018427388e+18,
                                 4.611686018427388e+18, 2.1267647932558654e+37,
                                 4.611686018427388e+18, 9.223372036854776e+18, 0, -2});
}

static void
few_values_give_null_where_nothing_is_defined(void **state)
{
    (void)state;
    static const struct expected NOTHING = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    check_reals(NULL, 0, 0, false, NOTHING);
    check_ints(NULL, 0, 1, true, NOTHING);
    check_ints((int64_t[]){7}, 1, 0, false, (struct expected){7, 7, 7, 0, 0, 0, NAN, NAN});
    check_reals((double[]){7}, 1, 1, false, (struct expected){7, 7, 7, NAN, NAN, 0, NAN, NAN});
    check_ints((int64_t[]){3, 4}, 2, 1, false,
               (struct expected){7, 3.5, 3.5, .5, 0.7071067811865476, .5, 0, -2});
    check_ints((int64_t[]){3, 4}, 2, 0, true,
               (struct expected){7, 3.5, 3.5, .25, .5, .5, NAN, NAN});
    /* scipy.stats.skew([1, 2, 4], bias=False) */
    check_reals((double[]){1, 2, 4}, 3, 1, true,
                (struct expected){7, 7 / 3.0, 2, 7 / 3.0, 1.5275252316519468, 1.5,
                                  0.9352195295828245, NAN});
    double constant[100];
    for (int i = 0; i < 100; i++)
        constant[i] = 0.1;
    check_reals(constant, 100, 0, false, (struct expected){10, .1, .1, 0, 0, 0, NAN, NAN});
}

static void
counts_and_extremes_are_written_in_the_columns_terms(void **state)
{
    (void)state;
    struct fixture f;
    struct value reals[] = {{.d = -0.0}, {.d = 0.0}, {.d = -0.0}};
    make_fixture(&f, COLUMN_REAL, reals, COUNT_OF(reals));
    struct str json = answer(&f, "count,nulls,distinct,min,max,range,sum", "", 0, false);
    assert_string_equal(json.p, "{\"count\":3,\"nulls\":3,\"distinct\":1,\"min\":0,\"max\":0,"
                                "\"range\":0,\"sum\":0}");
    free_fixture(&f);

    struct value ints[] = {{.i = INT64_MAX}, {.i = INT64_MIN}};
    make_fixture(&f, COLUMN_INTEGER, ints, COUNT_OF(ints));
    json = answer(&f, "range,min,max,sum", "", 0, false);
    assert_string_equal(json.p, "{\"min\":-9223372036854775808,\"max\":9223372036854775807,"
                                "\"range\":18446744073709551615,\"sum\":-1}");
    free_fixture(&f);

    struct value flags[] = {{.i = 1}, {.i = 0}, {.i = 1}, {.i = 1}};
    make_fixture(&f, COLUMN_BOOLEAN, flags, COUNT_OF(flags));
    json = answer(&f, "count,distinct,min,max,sum,mean", "", 0, false);
    assert_string_equal(json.p, "{\"count\":4,\"distinct\":2,\"min\":0,\"max\":1,\"sum\":3,"
                                "\"mean\":0.75}");
    free_fixture(&f);

    struct value words[] = {{.text = STR("A")}, {.text = STR("a")}, {.text = STR("A")}};
    make_fixture(&f, COLUMN_TEXT, words, COUNT_OF(words));
    json = answer(&f, "all", "", 0, false);
    assert_string_equal(json.p, "{\"count\":3,\"nulls\":0,\"distinct\":2}");
    free_fixture(&f);
}

static void
days_have_extremes_range_and_a_median(void **state)
{
    (void)state;
    struct fixture f;
    struct value days[] = {{.i = date_from_ymd(2020, 2, 28)},
                           {.i = date_from_ymd(2020, 3, 1)},
                           {.i = date_from_ymd(1969, 12, 31)},
                           {.i = date_from_ymd(2020, 2, 27)}};
    make_fixture(&f, COLUMN_DATE, days, COUNT_OF(days));
    struct str json = answer(&f, "all", "", 0, false);
    assert_string_equal(json.p,
                        "{\"count\":4,\"nulls\":4,\"distinct\":4,\"min\":\"1969-12-31\","
                        "\"max\":\"2020-03-01\",\"range\":18323,\"median\":\"2020-02-27\"}");
    free_fixture(&f);

    struct value moments[] = {{.i = -1}, {.i = 0}, {.i = 0, .is_null = true}};
    make_fixture(&f, COLUMN_DATETIME, moments, COUNT_OF(moments));
    json = answer(&f, "min,max,median", "", 0, false);
    assert_string_equal(json.p, "{\"min\":\"1969-12-31T23:59:59.999Z\","
                                "\"max\":\"1970-01-01T00:00:00Z\","
                                "\"median\":\"1969-12-31T23:59:59.999Z\"}");
    bitmap_and_not(&f.rows, &(struct bitmap){f.rows.words, f.rows.row_count});
    json = answer(&f, "all", "", 0, false);
    assert_string_equal(json.p, "{\"count\":0,\"nulls\":0,\"distinct\":0,\"min\":null,"
                                "\"max\":null,\"range\":null,\"median\":null}");
    free_fixture(&f);
}

static void
percentiles_are_named_and_interpolated(void **state)
{
    (void)state;
    struct value cells[997] = {0};
    for (int i = 0; i < 997; i++)
        cells[i].d = (double)(i * 7919 % 1000) / 8;
    struct fixture f;
    make_fixture(&f, COLUMN_REAL, cells, COUNT_OF(cells));
    /* np.percentile(x, [0, 1, 50, 99.9, 100]); 50 again counts once */
    struct str json = answer(&f, "percentiles", "0,1,50,99.9,100,50.0", 0, false);
    assert_number(json, "0th", 0, 1);
    assert_number(json, "1st", 1.245, 0);
    assert_number(json, "50th", 62.625, 0);
    assert_number(json, "99.9th", 124.7505, 0);
    assert_number(json, "100th", 124.875, 0);
    json = answer(&f, "percentiles", "2,3,11,12,13,21,22.5", 0, false);
    static const char *const NAMES[] = {"2nd", "3rd", "11th", "12th", "13th", "21st", "22.5th"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        assert_true(json_member(json, str_from(NAMES[i])).n > 0);
    free_fixture(&f);
}

static void
bad_requests_name_the_parameter(void **state)
{
    (void)state;
    static const struct {
        const char *aggregate, *percentiles, *name, *detail;
    } CASES[] = {
        {"mediam", "", "aggregate",
         "there is no aggregate 'mediam'; did you mean 'median'? (there are: all count nulls "
         "distinct min max range sum mean median variance std_dev iqr percentiles skewness "
         "kurtosis)"},
        {"avg", "", "aggregate",
         "there is no aggregate 'avg'; did you mean 'mean'? (there are: all count nulls "
         "distinct min max range sum mean median variance std_dev iqr percentiles skewness "
         "kurtosis)"},
        {"mean,", "", "aggregate", NULL},
        {"mean", "101", "percentiles", "a percentile is a number from 0 to 100, got '101'"},
        {"mean", "nan", "percentiles", NULL},
        {"mean", "1,,2", "percentiles", NULL},
    };
    scoped_arena a = {0};
    struct stats_request request;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct err err = {0};
        assert_false(stats_parse(&a, str_from(CASES[i].aggregate),
                                 str_from(CASES[i].percentiles), 0, false, &request, &err));
        assert_int_equal(err.kind, ERR_BAD_PARAMETER);
        assert_string_equal(err.name, CASES[i].name);
        if (CASES[i].detail)
            assert_string_equal(err.detail, CASES[i].detail);
    }
    struct err err = {0};
    struct schema_column date = {.name = STR("release_date"), .type = COLUMN_DATE};
    assert_true(stats_parse(&a, STR("min,mean"), STR(""), 0, false, &request, &err));
    assert_true(stats_check(&request, &date, true, &err));
    assert_false(stats_check(&request, &date, false, &err));
    assert_string_equal(err.detail,
                        "the column release_date is of type date and has no mean; it has "
                        "count, nulls, distinct, min, max, range, median");
}

static int
compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Wide, narrow, clustered and constant keys. */
static void
selection_agrees_with_sorting(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(300); round++) {
        scoped_arena a = {0};
        size_t n = 1 + dice_below(3000);
        uint64_t *keys = arena_array(&a, n, uint64_t), *sorted = arena_array(&a, n, uint64_t);
        unsigned shift = (unsigned)(round % 65);
        for (size_t i = 0; i < n; i++) {
            uint64_t random = dice_u64();
            keys[i] = shift == 64 ? 0 : random >> shift;
            keys[i] |= round % 2 && i % 5 == 0 ? random << 63 : 0;
            sorted[i] = keys[i];
        }
        qsort(sorted, n, sizeof(*sorted), compare_u64);
        size_t ranks[] = {0, n / 4, n / 4, MIN(n / 4 + 1, n - 1), n / 2, n - 1};
        qsort(ranks, COUNT_OF(ranks), sizeof(*ranks), compare_u64);
        uint64_t found[COUNT_OF(ranks)];
        embedded_stats_select(&a, keys, n, ranks, COUNT_OF(ranks), found);
        for (size_t i = 0; i < COUNT_OF(ranks); i++)
            assert_true(found[i] == sorted[ranks[i]]);
        dice_reach("one key", sorted[0] == sorted[n - 1]);
        dice_reach("two ranks of one key", n > 1 && sorted[0] == sorted[n / 4]);
        dice_reach("keys above and below the middle", sorted[0] >> 63 != sorted[n - 1] >> 63);
    }
    dice_end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_agree_with_numpy_and_scipy),
        cmocka_unit_test(ill_conditioned_numbers_stay_exact),
        cmocka_unit_test(extreme_magnitudes_neither_overflow_nor_vanish),
        cmocka_unit_test(few_values_give_null_where_nothing_is_defined),
        cmocka_unit_test(counts_and_extremes_are_written_in_the_columns_terms),
        cmocka_unit_test(days_have_extremes_range_and_a_median),
        cmocka_unit_test(percentiles_are_named_and_interpolated),
        cmocka_unit_test(bad_requests_name_the_parameter),
        cmocka_unit_test(selection_agrees_with_sorting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
