/* Which cell each column takes: a file fits the dataset that it made, whatever its headers are.
 */
#include "import_attempt.h"

#include <time.h>

static void
a_file_fits_the_dataset_that_it_made(void **state)
{
    static const struct {
        const char *what, *csv, *header; /* the option; NULL: found out */
    } CASES[] = {
        {"an index without a name", ",name,v\n0,Ann,1\n1,Bob,2\n", NULL},
        {"blank headers", "id,,name,\n1,a,x,b\n2,c,y,d\n", NULL},
        {"blanks of several kinds", "id, ,\t,_\n1,a,x,b\n2,c,y,d\n", NULL},
        {"blank headers alone", ",\n1,2\n3,4\n", "true"},
        {"equal headers", "a,a,a\n1,2,x\n3,4,y\n", NULL},
        {"headers that fold alike", "A,a,a_,A \n1,2,x,z\n3,4,y,z\n", NULL},
        {"a header like another's name", ",column_1,x\n1,a,b\n2,c,d\n", NULL},
        {"a header like a later name", "a,a_2,a\n1,x,b\n2,y,d\n", NULL},
        {"names with nothing Latin", "\xd0\xa6,\xd0\xb6,n\n1,x,2\n3,y,4\n", NULL},
        {"no header, found out", "1,2.5\n3,4.5\n", NULL},
        {"no header, said so", "id,name\n1,Ann\n", "false"},
        {"words without header, said so", "Ann,Bob\nCy,Di\n", "false"},
        {"one column", "a\nx\ny\n", NULL},
        {"quotes and commas", "\"a,b\",\"say \"\"a\"\"\"\n1,x\n2,y\n", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct attempt t;
        begin(&t, *state);
        if (CASES[i].header)
            set(&t, "header", CASES[i].header);
        if (!import_text(&t, "free", CASES[i].csv))
            fail_msg("%s: %s", CASES[i].what, t.err.detail);
        struct str once = rows_of(&t);
        int64_t rows = receipt_number(&t, "rows");
        set(&t, "mode", "append");
        if (!import_text(&t, "free", CASES[i].csv))
            fail_msg("%s, appended: %s", CASES[i].what, t.err.detail);
        assert_int_equal(receipt_number(&t, "accepted"), rows);
        struct str twice = arena_printf(&t.dir->arena, "%s;%s", once.p, once.p);
        if (!str_eq(rows_of(&t), twice))
            fail_msg("%s: %s instead of %s", CASES[i].what, rows_of(&t).p, twice.p);
    }
}

static void
a_file_is_upserted_by_a_column_without_a_name(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "key", "column_1");
    assert_true(import_text(&t, "free", ",name\n0,Ann\n1,Bob\n"));
    set(&t, "mode", "upsert");
    import_text(&t, "free", ",name\n1,Cy\n2,Di\n");
    expect_rows(&t, "0,Ann;1,Cy;2,Di");
}

/* The same options go with the same file. */
static void
options_that_made_the_columns_can_be_given_again(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "types", "Price in EUR:real,a_2:text");
    set(&t, "key", "The Id");
    assert_true(import_text(&t, "free", "The Id,Price in EUR,a,a\n1,2,x,3\n"));
    set(&t, "mode", "append");
    import_text(&t, "free", "The Id,Price in EUR,a,a\n2,2,x,3\n");
    expect_rows(&t, "1,2,x,3;2,2,x,3");
    set(&t, "types", "Price in EUR:integer");
    import_text(&t, "free", "The Id,Price in EUR,a,a\n3,2,x,3\n");
    expect_failure(&t, "fixed_schema");
}

static void
no_column_takes_what_is_another_ones_own(void **state)
{
    struct attempt t;
    begin(&t, *state);
    /* The alias of `name` stands before its header; of headers that fold alike the first
     * counts. */
    import_text(&t, "pets",
                "Called,WEIGHT,pet id,Pet ID,Name,Weight,tags\n"
                "no,9,8,1,yes,2,a\n");
    expect_rows(&t, "8,yes,9,a");
    begin(&t, *state);
    assert_true(import_text(&t, "free", "a,A,x\n1,2,3\n"));
    set(&t, "mode", "append");
    import_text(&t, "free", "x,A,a\n3,2,1\n");
    expect_rows(&t, "1,2,3;1,2,3");
}

#define COLUMNS 2000

/* Headers of one word, with a number behind it for those from `from` on and below `to`. */
struct headers {
    const char *word;
    int from, to;
};

static struct str
wide_csv(struct arena *a, struct headers headers)
{
    scoped_buf out;
    buf_init(&out, 4 * MIB);
    for (int i = 0; i < COLUMNS; i++) {
        buf_printf(&out, "%s%s", i ? "," : "", headers.word);
        if (i >= headers.from && i < headers.to)
            buf_printf(&out, "%d", i);
    }
    for (int i = 0; i < COLUMNS; i++)
        buf_printf(&out, "%s%d", i ? "," : "\n", i);
    return arena_str(a, buf_str(&out));
}

/* Seconds of this process; the machine may be busy with others. */
static double
seconds_of(struct attempt *t, struct str csv)
{
    clock_t begin_clock = clock();
    import_bytes(t, "free", csv);
    return (double)(clock() - begin_clock) / CLOCKS_PER_SEC;
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Where one column costs what all others cost, the slowest of these takes a minute and more. */
static void
headers_of_any_kind_cost_what_they_hold(void **state)
{
    static const struct headers NORMAL = {"c", 0, COLUMNS};
    static const struct headers MISSING = {"z" X50 "z" X50, 0, COLUMNS};
    static const struct headers CASES[] = {
        {"a", 0, 0},   {"a_", 2, COLUMNS / 2}, {"a_", 1, COLUMNS},
        {"a_2", 1, 1}, {X50 X50, 0, 0},        {X50 X50, 0, COLUMNS},
        {"", 0, 0},    {"\xd0\x96", 0, 0},     {"\xd0\x96", 0, COLUMNS},
    };
    struct attempt t;
    begin(&t, *state);
    t.config.imports_columns_max = COLUMNS;
    double normal = seconds_of(&t, wide_csv(&t.dir->arena, NORMAL));
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct str csv = wide_csv(&t.dir->arena, CASES[i]);
        set(&t, "header", "true");
        set(&t, "mode", "replace");
        double made = seconds_of(&t, csv);
        assert_true(t.is_done);
        set(&t, "mode", "append");
        double appended = seconds_of(&t, csv);
        assert_true(t.is_done);
        double missing = seconds_of(&t, wide_csv(&t.dir->arena, MISSING));
        expect_failure(&t, "missing_columns");
        assert_non_null(strstr(t.err.detail, "more"));
        double bound = 1 + 10 * normal;
        if (made > bound || appended > bound || missing > bound)
            fail_msg("'%s': %.1f s, %.1f s, %.1f s beside %.1f s", CASES[i].word, made,
                     appended, missing, normal);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, temp_set_up, temp_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_fits_the_dataset_that_it_made),
        TEST(a_file_is_upserted_by_a_column_without_a_name),
        TEST(options_that_made_the_columns_can_be_given_again),
        TEST(no_column_takes_what_is_another_ones_own),
        TEST(headers_of_any_kind_cost_what_they_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
