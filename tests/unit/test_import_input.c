/* import_run on every bad input of the contract, at its limits, and on real files against an
 * independent reading. */
#include "import_attempt.h"
#include "shared_data.h"

/* ---- bad input ---- */

static void
a_file_without_a_row_is_empty(void **state)
{
    static const char *const FILES[] = {"", "\n\n\r\n", "\xef\xbb\xbf"};
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct attempt t;
        begin(&t, *state);
        import_text(&t, "free", FILES[i]);
        expect_failure(&t, "empty_file");
    }
}

static void
a_header_alone_makes_a_dataset_without_rows(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "header", "true");
    import_text(&t, "free", "a,b\n");
    expect_rows(&t, "");
    expect_counts(&t, 0, 0, 0);
    begin(&t, *state);
    import_text(&t, "pets", "Pet ID,Name,Weight,Tags");
    expect_rows(&t, "");
}

static void
rows_of_another_length_are_rejected(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "free", "a,b\n1,2\n3\n4,5,6\n7,8\n");
    expect_rows(&t, "1,2;7,8");
    expect_rejects(&t, "3 wrong_cell_count, 4 wrong_cell_count");
}

static void
bad_bytes_cost_their_row(void **state)
{
    struct attempt t;
    begin(&t, *state);
    static const char CSV[] = "a,b\n1,caf\xc3\xa9\n2,\xc3\xa9\xff\n3,n\0l\n4,\xc3\xb6\n";
    import_bytes(&t, "free", (struct str){CSV, sizeof(CSV) - 1});
    expect_rows(&t, "1,caf\xc3\xa9;4,\xc3\xb6");
    expect_rejects(&t, "3 invalid_utf8, 4 nul_byte");
}

static void
an_unclosed_quote_costs_one_row(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_text(&t, "free", "a,b\n1,x\n2,\"y\n3,z\n");
    expect_rows(&t, "1,x;3,z");
    expect_rejects(&t, "3 unclosed_quote");
}

static void
line_ends_marks_and_newlines_in_cells_are_read(void **state)
{
    static const char *const FILES[] = {
        "\xef\xbb\xbf"
        "a,b\r\n1,\"x\ny\"\r\n2,z\r\n",
        "a,b\r1,\"x\ny\"\r2,z",
        "a,b\n1,\"x\ny\"\n\n2,z\n",
    };
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct attempt t;
        begin(&t, *state);
        set(&t, "header", "true");
        import_text(&t, "free", FILES[i]);
        expect_rows(&t, "1,x\ny;2,z");
    }
}

static void
utf_16_is_read_and_offsets_are_told(void **state)
{
    struct attempt t;
    begin(&t, *state);
    static const char CSV[] = "\xff\xfe"
                              "a\0,\0b\0\n\0"
                              "1\0,\0x\0\n\0"
                              "2\0\n\0";
    set(&t, "header", "true");
    import_bytes(&t, "free", (struct str){CSV, sizeof(CSV) - 1});
    expect_rows(&t, "1,x");
    expect_rejects(&t, "3 wrong_cell_count");
    assert_true(str_find(t.publication.receipt_json, STR("\"encoding\":\"utf-16\"")) > 0);
}

static void
a_cell_of_a_mebibyte_is_kept_and_a_larger_one_rejected(void **state)
{
    struct temp_dir *dir = *state;
    scoped_buf csv;
    buf_init(&csv, 4 * MIB);
    for (size_t i = 0; i < 2; i++) {
        buf_add_lit(&csv, "1,");
        for (size_t n = 0; n < MIB + i; n += 1)
            buf_add_char(&csv, 'x');
        buf_add_char(&csv, '\n');
    }
    struct attempt t;
    begin(&t, dir);
    set(&t, "header", "false");
    set(&t, "delimiter", ",");
    import_bytes(&t, "free", buf_str(&csv));
    assert_true(t.is_done);
    expect_counts(&t, 1, 1, 0);
    expect_rejects(&t, "2 cell_too_long");
}

static void
what_is_no_csv_is_refused(void **state)
{
    static const struct {
        struct str bytes;
        const char *code;
    } CASES[] = {
        {STR_INIT("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), "not_csv"},
        {STR_INIT("<!DOCTYPE html><html><body>Sign in</body></html>"), "not_csv"},
        {STR_INIT("PK\x03\x04\x14\0\0\0"), "not_csv"},
        {STR_INIT("\x1f\x8b\x08\0\0\0\0\0\0\x03 broken"), "bad_gzip"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct attempt t;
        begin(&t, *state);
        import_bytes(&t, "free", CASES[i].bytes);
        expect_failure(&t, CASES[i].code);
    }
}

static void
a_part_of_a_file_is_read_as_the_whole(void **state)
{
    struct attempt t;
    begin(&t, *state);
    import_part(&t, "free", STR("--boundary\r\n\r\na,b\n1,x\n2\n\r\n--boundary--"), 14, 10);
    expect_rows(&t, "1,x");
    expect_rejects(&t, "3 wrong_cell_count");
    assert_int_equal(receipt_number(&t, "bytes"), 10);
}

static void
limits_are_kept(void **state)
{
    struct temp_dir *dir = *state;
    struct attempt t;
    scoped_buf csv;
    buf_init(&csv, 16 * MIB);
    for (size_t i = 0; i < 51; i++)
        buf_printf(&csv, "%sc%zu", i ? "," : "", i);
    begin(&t, dir);
    import_bytes(&t, "free", buf_str(&csv));
    expect_failure(&t, "too_many_columns");
    buf_clear(&csv);
    while (csv.n <= 8 * MIB)
        buf_add_lit(&csv, "a long line of text,and another cell\n");
    begin(&t, dir);
    import_bytes(&t, "free", buf_str(&csv));
    expect_failure(&t, "too_large");
}

static void
errors_can_stop_an_import(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "on_error", "abort");
    import_text(&t, "free", "a,b\n1,2\n3\n");
    expect_failure(&t, "bad_row");
    assert_non_null(strstr(t.err.detail, "line 3"));
    begin(&t, *state);
    set(&t, "max_errors", "1");
    import_text(&t, "free", "a,b\n1,2\n3\n4,5\n");
    expect_rows(&t, "1,2;4,5");
    import_text(&t, "free", "a,b\n1,2\n3\n4\n");
    expect_failure(&t, "too_many_errors");
}

static void
rejects_are_capped_and_still_counted(void **state)
{
    struct temp_dir *dir = *state;
    scoped_buf csv;
    buf_init(&csv, MIB);
    buf_add_lit(&csv, "a,b\n1,2\n");
    for (size_t i = 0; i < 150; i++) /* more than is written at once */
        buf_printf(&csv, "%01000d\n", 0);
    struct attempt t;
    begin(&t, dir);
    set(&t, "header", "true");
    set(&t, "delimiter", ",");
    import_bytes(&t, "free", buf_str(&csv));
    expect_counts(&t, 1, 150, 0);
    scoped_buf rejects;
    struct err err;
    buf_init(&rejects, MIB);
    assert_true(fs_read_file(&rejects, AT_FDCWD, temp_path(dir, "rejects"), &err));
    size_t lines = 0;
    for (size_t i = 0; i < rejects.n; i++)
        lines += rejects.p[i] == '\n';
    assert_int_equal(lines, 100);
}

static void
a_cancelled_import_leaves_nothing(void **state)
{
    struct attempt t;
    begin(&t, *state);
    t.cancels = true;
    import_text(&t, "free", "a,b\n1,2\n");
    expect_failure(&t, "cancelled");
}

/* ---- real files ---- */

/* Reads RFC 4180 a byte at a time: nothing in common with the parser under test. */
static struct str *
read_simply(struct arena *a, struct str text, size_t *count)
{
    struct str *cells = arena_array(a, text.n / 2 + 2, struct str);
    char *out = arena_alloc(a, text.n + 1);
    size_t n = 0, used = 0, start = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"' && is_quoted && i + 1 < text.n && text.p[i + 1] == '"')
            out[used++] = text.p[i++];
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && (c == ',' || c == '\n')) {
            cells[n++] = (struct str){out + start, used - start};
            start = used;
        } else if (is_quoted || c != '\r')
            out[used++] = c;
    }
    if (text.n && text.p[text.n - 1] != '\n')
        cells[n++] = (struct str){out + start, used - start};
    *count = n;
    return cells;
}

static void
compare_with_simple_reading(struct attempt *t, struct str text)
{
    struct arena *a = &t->dir->arena;
    struct schema schema;
    struct err err;
    struct rows_column columns[50];
    size_t count, wanted[2];
    assert_true(schema_parse_json(a, t->publication.schema_json, &schema, &err));
    assert_non_null(schema_find(&schema, STR("name"), &wanted[0]));
    assert_non_null(schema_find(&schema, STR("about_the_game"), &wanted[1]));
    struct str *cells = read_simply(a, text, &count);
    assert_int_equal(count % schema.column_count, 0);
    uint64_t row_count = count / schema.column_count - 1;
    expect_counts(t, (int64_t)row_count, 0, 0);
    for (size_t i = 0; i < schema.column_count; i++)
        columns[i] = (struct rows_column){.name = schema.columns[i].name,
                                          .type = schema.columns[i].type};
    const char *path = arena_printf(a, "%s/%s/rows.db", t->dir->path, folder_of(t)).p;
    struct rows *rows = rows_open(path, columns, schema.column_count, &err);
    assert_non_null(rows);
    for (uint64_t n = 1; n <= row_count; n++) {
        struct value values[2];
        assert_int_equal(rows_get(rows, n, wanted, 2, values, &err), 1);
        for (size_t i = 0; i < 2; i++)
            if (!str_eq(values[i].text, cells[n * schema.column_count + wanted[i]]))
                fail_msg("row %llu differs: '%.*s'", (unsigned long long)n,
                         STR_ARG(values[i].text));
    }
    rows_close(&rows);
}

static void
real_files_have_what_a_simple_reading_finds(void **state)
{
    static const char *const FILES[] = {"data/games_100.csv", "data/games_5k.csv"};
    struct temp_dir *dir = *state;
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        scoped_buf text;
        shared_read(&text, FILES[i]);
        struct attempt t;
        begin(&t, dir);
        t.config.imports_file_bytes_max = 64 * MIB;
        if (!import_bytes(&t, "free", buf_str(&text)))
            fail_msg("%s", t.err.detail);
        compare_with_simple_reading(&t, buf_str(&text));
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, temp_set_up, temp_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_file_without_a_row_is_empty),
        TEST(a_header_alone_makes_a_dataset_without_rows),
        TEST(rows_of_another_length_are_rejected),
        TEST(bad_bytes_cost_their_row),
        TEST(an_unclosed_quote_costs_one_row),
        TEST(line_ends_marks_and_newlines_in_cells_are_read),
        TEST(utf_16_is_read_and_offsets_are_told),
        TEST(a_cell_of_a_mebibyte_is_kept_and_a_larger_one_rejected),
        TEST(what_is_no_csv_is_refused),
        TEST(a_part_of_a_file_is_read_as_the_whole),
        TEST(limits_are_kept),
        TEST(errors_can_stop_an_import),
        TEST(rejects_are_capped_and_still_counted),
        TEST(a_cancelled_import_leaves_nothing),
        TEST(real_files_have_what_a_simple_reading_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
