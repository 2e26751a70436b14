/* import_run on datasets that are declared and others, in each mode. */
#include "disk_order.h"
#include "import_attempt.h"

#include "index/trigrams.h"

/* ---- declared datasets ---- */

static void
a_declared_dataset_takes_its_columns_in_any_order(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "pets",
                ",WEIGHT,called,colour,pet id,Tags\n0,1.5,Rex,red,7,\"a, b\"\n1,,Ada,,8.0,\n");
    expect_rows(&t, "7,Rex,1.5,a, b;8,Ada,-,");
    expect_counts(&t, 2, 0, 0);
    assert_true(str_find(t.publication.receipt_json, STR("\"ignored_columns\":[\"colour\"]")) >
                0);
    assert_true(str_find(t.publication.receipt_json, STR("\"header\":\"Pet ID\"")) > 0);
}

static void
missing_columns_are_named_with_what_is_near(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "pets", "Pet ID,Nmae,Tags\n1,a,b\n");
    expect_failure(&t, "missing_columns");
    assert_non_null(strstr(t.err.detail, "'Name' (nearest: 'Nmae')"));
    assert_non_null(strstr(t.err.detail, "'Weight'"));
}

static void
the_last_good_row_of_a_key_wins(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(
        &t, "pets",
        "Pet ID,Name,Weight,Tags\n1,a,1,\n2,b,2,\n1.0,c,3,\n2,d,heavy,\n,e,1,\nx,f,1,\n");
    expect_rows(&t, "2,b,2,;1,c,3,");
    expect_counts(&t, 2, 3, 1);
    expect_rejects(&t, "2 duplicate_key, 5 bad_value, 6 empty_key, 7 bad_value");
}

static void
types_of_a_declared_dataset_cannot_be_given(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "types", "name:integer");
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n1,a,1,\n");
    expect_failure(&t, "fixed_schema");
    begin(&t, *state);
    set(&t, "key", "pet id");
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n1,a,1,\n");
    expect_rows(&t, "1,a,1,");
}

/* ---- other datasets ---- */

static void
an_undeclared_dataset_gets_types_and_names(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "free",
                "Id,Id,,Is on,When,Zip\n1,x,1.5,true,2020-01-02,007\n2,y,,FALSE,,8\n");
    expect_rows(&t, "1,x,1.5,1,18263,007;2,y,-,0,-,8");
    assert_true(str_find(t.publication.schema_json, STR("\"name\":\"id_2\"")) > 0);
    assert_true(str_find(t.publication.schema_json, STR("\"name\":\"column_3\"")) > 0);
    assert_true(str_find(t.publication.summaries_json,
                         STR("\"min\":\"2020-01-02\",\"max\":\"2020-01-02\"")) > 0);
}

static void
the_receipt_hints_at_decimal_commas(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "free", "name;price;n\nx;1,50;1\ny;2,25;2\n");
    expect_rows(&t, "x,1,50,1;y,2,25,2");
    assert_true(str_find(t.publication.receipt_json,
                         STR("\"hints\":[\"column 'price' is text; with decimal=, it would be "
                             "numbers\"]")) > 0);
    begin(&t, *state);
    set(&t, "decimal", ",");
    import_text(&t, "free", "name;price;n\nx;1,50;1\ny;2,25;2\n");
    assert_true(str_find(t.publication.receipt_json, STR("\"hints\":[]")) > 0);
}

static void
types_and_key_can_be_given(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "types", "{\"Code\": \"text\", \"n\": \"real\"}");
    set(&t, "key", "Code");
    import_text(&t, "free", "Code,N,Rest\n1,1,a\n2,x,b\n1,3,c\n");
    expect_rows(&t, "1,3,c");
    expect_rejects(&t, "2 duplicate_key, 3 bad_value");
    begin(&t, *state);
    set(&t, "key", "cod");
    import_text(&t, "free", "Code,N\n1,1\n");
    expect_failure(&t, "unknown_column");
}

static void
options_change_how_a_file_is_read(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "header", "false");
    set(&t, "delimiter", ";");
    set(&t, "decimal", ",");
    set(&t, "nulls", "none,-");
    import_text(&t, "free", "1,5;a\nnone;NA\n-;b\n");
    expect_rows(&t, "1.5,a;-,NA;-,b");
}

static void
an_option_that_is_wrong_says_so(void **state)
{
    struct temp_dir *dir = *state;
    static const char *const CASES[][2] = {
        {"mode", "merge"},      {"encoding", "ebcdic"}, {"delimiter", "ab"},
        {"header", "yes"},      {"decimal", ";"},       {"types", "a:money"},
        {"types", "{\"a\":1}"}, {"on_error", "x"},      {"max_errors", "0"},
        {"nulls", "[1]"},       {"modes", "append"},    {"types", "\"a\":\"real\""},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct import_options options = {0};
        struct err err;
        if (import_option_set(&dir->arena, &options, str_from(CASES[i][0]),
                              str_from(CASES[i][1]), &err))
            fail_msg("%s=%s was taken", CASES[i][0], CASES[i][1]);
        assert_int_equal(err.kind, ERR_BAD_PARAMETER);
        assert_string_equal(err.name, CASES[i][0]);
    }
}

static void
braces_that_curl_took_away_are_missed(void **state)
{
    struct temp_dir *dir = *state;
    struct import_options options = {0};
    struct err err;
    assert_false(
        import_option_set(&dir->arena, &options, STR("types"), STR("\"a\":\"real\""), &err));
    assert_non_null(strstr(err.detail, "in curl with -g"));
    assert_true(
        import_option_set(&dir->arena, &options, STR("types"), STR("a:real,b:text"), &err));
    assert_int_equal(options.type_count, 2);
}

/* They would be stored as JSON that nobody can read back. */
static void
an_option_that_is_no_text_is_refused(void **state)
{
    struct temp_dir *dir = *state;
    static const char *const NAMES[] = {"label", "key", "nulls", "delimiter", "quote", "url"};
    static const struct str VALUES[] = {STR_INIT("a\0b"), STR_INIT("\0"), STR_INIT("\xff"),
                                        STR_INIT("a,\xc3")};
    for (size_t i = 0; i < COUNT_OF(NAMES) * COUNT_OF(VALUES); i++) {
        const char *name = NAMES[i / COUNT_OF(VALUES)];
        struct import_options options = {0};
        struct err err;
        assert_false(import_option_set(&dir->arena, &options, str_from(name),
                                       VALUES[i % COUNT_OF(VALUES)], &err));
        assert_int_equal(err.kind, ERR_BAD_PARAMETER);
        assert_string_equal(err.name, name);
    }
}

static void
printing_options_and_parsing_them_is_identity(void **state)
{
    struct attempt t;
    begin(&t, *state);
    static const char *const GIVEN[][2] = {
        {"mode", "upsert"},
        {"encoding", "latin1"},
        {"delimiter", "\\t"},
        {"quote", "none"},
        {"header", "false"},
        {"decimal", ","},
        {"types", "a:real,b:text"},
        {"key", "a"},
        {"nulls", "[\"-\", \"?\"]"},
        {"on_error", "abort"},
        {"max_errors", "5"},
        {"label", "the \"label\""},
        {"url", "https://example.com/x.csv"},
    };
    for (size_t i = 0; i < COUNT_OF(GIVEN); i++)
        set(&t, GIVEN[i][0], GIVEN[i][1]);
    struct import_options read;
    struct err err;
    scoped_buf first, second;
    buf_init(&first, MIB);
    buf_init(&second, MIB);
    import_options_add_json(&first, &t.options);
    if (!import_options_parse_json(&t.dir->arena, buf_str(&first), &read, &err))
        fail_msg("%s", err.detail);
    import_options_add_json(&second, &read);
    assert_true(str_eq(buf_str(&first), buf_str(&second)));
    assert_true(read.mode == IMPORT_UPSERT && read.dialect.dialect.delimiter == '\t');
    assert_true(read.null_count == 2 && read.type_count == 2);
}

/* ---- modes ---- */

static void
append_adds_rows_behind_the_old_ones(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "free", "a,b\n1,x\n2,y\n");
    set(&t, "mode", "append");
    import_text(&t, "free", "B,A,c\nz,3,1\nw,many,2\n");
    expect_rows(&t, "1,x;2,y;3,z");
    expect_rejects(&t, "3 bad_value");
    assert_int_equal(receipt_number(&t, "rows"), 3);
}

static void
append_refuses_a_key_that_is_there(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n1,a,1,x\n2,b,2,\n");
    set(&t, "mode", "append");
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n2,B,3,\n3,c,3,\n");
    expect_rows(&t, "1,a,1,x;2,b,2,;3,c,3,");
    expect_counts(&t, 1, 0, 1);
    expect_rejects(&t, "2 duplicate_key");
}

static void
upsert_replaces_in_place_and_adds_the_rest(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n1,a,1,\n2,b,2,\n3,c,3,\n");
    set(&t, "mode", "upsert");
    import_text(&t, "pets",
                "Pet ID,Name,Weight,Tags\n9,new,1,\n2,old,1,\n\n2,\"B\r\nB\",5,\"x, "
                "y\"\n3,C,bad,\n1,A,");
    expect_rows(&t, "1,a,1,;2,B\r\nB,5,x, y;3,c,3,;9,new,1,");
    expect_counts(&t, 2, 2, 1);
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\r3,C,,\r");
    expect_rows(&t, "1,a,1,;2,B\r\nB,5,x, y;3,C,-,;9,new,1,");
}

/* ---- where rows came from ---- */

static bool
add_line(void *context, uint64_t line, const struct str *cells UNUSED, struct err *err UNUSED)
{
    buf_printf(context, " %llu", (unsigned long long)line);
    return true;
}

static void
expect_lines(struct attempt *t, const char *column, const char *expected)
{
    struct err err = {0};
    struct str name = str_from(column);
    const char *path =
        arena_printf(&t->dir->arena, "%s/%s/rows.db", t->dir->path, folder_of(t)).p;
    scoped_buf lines;
    buf_init(&lines, KIB);
    if (!t->is_done)
        fail_msg("%s: %s", err_code(&t->err), t->err.detail);
    assert_true(rows_scan(path, &name, 1, add_line, &lines, &err));
    buf_add_char(&lines, '\0');
    assert_string_equal(lines.p, expected);
}

static void
rows_know_the_line_of_the_file_they_came_by(void **state)
{
    struct attempt t;
    begin(&t, *state);
    /* A blank line, a reject, and a cell of two lines. */
    import_text(&t, "free", "a,b\n1,x\n2,y\n\n3,z\n4\n5,\"v\nw\"\n6,u\n");
    expect_lines(&t, "a", " 2 3 5 7 9");
    set(&t, "mode", "append");
    import_text(&t, "free", "a,b\n\n7,s\n8,t\n");
    expect_lines(&t, "a", " 2 3 5 7 9 3 4");
}

static void
a_file_without_a_header_begins_at_line_1(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "header", "false");
    import_text(&t, "free", "1,x\n2,y\n");
    expect_lines(&t, "column_1", " 1 2");
}

static void
a_row_that_upsert_replaces_comes_from_the_newer_file(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n1,a,1,\n2,b,2,\n3,c,3,\n");
    set(&t, "mode", "upsert");
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n9,n,1,\n2,x,1,\n\n2,B,5,\n");
    expect_lines(&t, "id", " 2 5 4 2");
}

static void
upsert_keeps_a_byte_order_mark_inside_the_file(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "key", "id");
    import_text(&t, "free", "name,id\na,1\n");
    set(&t, "mode", "upsert");
    import_text(&t, "free", "name,id\nb,2\n\xef\xbb\xbfz,1\n");
    expect_rows(&t, "\xef\xbb\xbfz,1;b,2");
}

/* With the key and without: else one error sends to the other. */
static void
upsert_into_a_dataset_without_key_is_told_the_way_out(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "mode", "upsert");
    import_text(&t, "free", "a\n1\n");
    expect_failure(&t, "bad_parameter");
    set(&t, "mode", "replace");
    assert_true(import_text(&t, "free", "a\n1\n"));
    set(&t, "mode", "upsert");
    for (int i = 0; i < 2; i++) {
        import_text(&t, "free", "a\n1\n");
        expect_failure(&t, "bad_parameter");
        assert_non_null(strstr(t.err.detail, "dataset free has no key; import it once with "
                                             "mode=replace and the option key"));
        set(&t, "key", "a");
    }
}

static void
rows_are_not_added_to_columns_that_changed(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "free", "Pet ID,Name,Weight,Tags\n1,a,1,\n");
    set(&t, "mode", "append");
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags\n1,a,1,\n");
    expect_failure(&t, "schema_changed");
}

/* ---- what has reached the disk ---- */

static void
a_version_is_on_the_disk_from_its_files_up(void **state)
{
    struct attempt t;
    begin(&t, *state);
    disk_log_clear();
    assert_true(import_text(&t, "free", "a\n1\n"));
    ptrdiff_t folder = disk_last(t.dir, "sync", "datasets/1/job1");
    assert_true(disk_last(t.dir, "sync", "datasets/1/job1/rows.db") < folder);
    assert_true(disk_last(t.dir, "sync", "datasets/1/job1/columns") < folder);
    assert_true(disk_last(t.dir, "sync", "datasets/1") > folder);
    assert_true(disk_last(t.dir, "sync", "datasets") > disk_last(t.dir, "sync", "datasets/1"));
}

/* ---- the trigrams file ---- */

static struct str
long_texts(struct attempt *t, uint64_t bytes_min)
{
    scoped_buf csv;
    buf_init(&csv, 8 * MIB);
    buf_add_lit(&csv, "id,about\n");
    for (int i = 0; csv.n < bytes_min; i++)
        buf_printf(&csv, "%d,text %d of some %d words about DRAGONS\n", i, i * 7, i % 100);
    return arena_str(&t->dir->arena, buf_str(&csv));
}

static void
long_text_gets_trigrams_that_fit_its_columns(void **state)
{
    struct attempt t;
    struct err err;
    struct columns columns;
    struct trigrams trigrams;
    begin(&t, *state);
    disk_log_clear();
    import_bytes(&t, "books", long_texts(&t, 6 * MIB));
    assert_true(t.is_done);
    assert_true(disk_last(t.dir, "sync", "datasets/1/job1/trigrams") <
                disk_last(t.dir, "sync", "datasets/1/job1"));
    const char *folder = folder_of(&t);
    struct arena *a = &t.dir->arena;
    scoped_fd fd = fs_open_at(
        AT_FDCWD, temp_path(t.dir, arena_printf(a, "%s/columns", folder).p), O_RDONLY, &err);
    assert_true(columns_open(a, &columns, fd, &err));
    scoped_fd trigrams_fd = fs_open_at(
        AT_FDCWD, temp_path(t.dir, arena_printf(a, "%s/trigrams", folder).p), O_RDONLY, &err);
    assert_true(trigrams_open(a, &trigrams, trigrams_fd, &columns, &err));
    assert_true(trigrams_verify(&trigrams, &err));
    assert_int_equal(trigrams.column_count, 1);
    assert_non_null(trigrams_find(&trigrams, 1));
    trigrams_close(&trigrams);
    columns_close(&columns);
}

static void
short_text_gets_no_trigrams(void **state)
{
    struct attempt t;
    struct stat st;
    begin(&t, *state);
    import_bytes(&t, "books", long_texts(&t, MIB));
    assert_true(t.is_done);
    const char *path = arena_printf(&t.dir->arena, "%s/trigrams", folder_of(&t)).p;
    assert_int_equal(stat(temp_path(t.dir, path), &st), -1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, temp_set_up, temp_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_declared_dataset_takes_its_columns_in_any_order),
        TEST(missing_columns_are_named_with_what_is_near),
        TEST(the_last_good_row_of_a_key_wins),
        TEST(types_of_a_declared_dataset_cannot_be_given),
        TEST(an_undeclared_dataset_gets_types_and_names),
        TEST(the_receipt_hints_at_decimal_commas),
        TEST(types_and_key_can_be_given),
        TEST(options_change_how_a_file_is_read),
        TEST(an_option_that_is_wrong_says_so),
        TEST(braces_that_curl_took_away_are_missed),
        TEST(an_option_that_is_no_text_is_refused),
        TEST(printing_options_and_parsing_them_is_identity),
        TEST(append_adds_rows_behind_the_old_ones),
        TEST(append_refuses_a_key_that_is_there),
        TEST(upsert_replaces_in_place_and_adds_the_rest),
        TEST(rows_know_the_line_of_the_file_they_came_by),
        TEST(a_file_without_a_header_begins_at_line_1),
        TEST(a_row_that_upsert_replaces_comes_from_the_newer_file),
        TEST(upsert_keeps_a_byte_order_mark_inside_the_file),
        TEST(upsert_into_a_dataset_without_key_is_told_the_way_out),
        TEST(rows_are_not_added_to_columns_that_changed),
        TEST(a_version_is_on_the_disk_from_its_files_up),
        TEST(long_text_gets_trigrams_that_fit_its_columns),
        TEST(short_text_gets_no_trigrams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
