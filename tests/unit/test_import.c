/* import_run on folders of its own: every bad input of the contract, each mode, and real files
 * against an independent reading. */
#include "temp_dir.h"

#include "datasets/import.h"
#include "index/columns.h"
#include "store/rows.h"
#include "json/read.h"

#include <string.h>
#include <sys/stat.h>

#define SETTINGS_TEXT                                                                          \
    "imports:\n  file_bytes_max: 8MiB\n  columns_max: 50\n  rejects_max: 100\n"                \
    "datasets:\n"                                                                              \
    "  pets:\n"                                                                                \
    "    columns:\n"                                                                           \
    "      - {name: id, header: \"Pet ID\", type: integer, key: true}\n"                       \
    "      - {name: name, header: Name, type: text, aliases: [\"Called\"]}\n"                  \
    "      - {name: weight, header: Weight, type: real}\n"                                     \
    "      - {name: tags, header: Tags, type: list}\n"

/* One import and what came of it. */
struct attempt {
    struct temp_dir *dir;
    struct config config;
    struct import_options options;
    struct import_task task;
    struct dataset_publication publication;
    struct dataset_version base;
    struct err err;
    bool is_done;
    unsigned version;
    bool cancels;
};

static bool
on_progress(void *context, const struct job_progress *progress, struct err *err)
{
    const struct attempt *t = context;
    assert_true(progress->phase.n > 0);
    return !t->cancels || err_set_code(err, ERR_CONFLICT, "cancelled", "cancelled");
}

static void
begin(struct attempt *t, struct temp_dir *dir)
{
    struct err err;
    *t = (struct attempt){.dir = dir};
    if (!config_parse(&dir->arena, STR("test.yaml"), STR(SETTINGS_TEXT), &t->config, &err))
        fail_msg("%s", err.detail);
}

static void
set(struct attempt *t, const char *name, const char *value)
{
    struct err err;
    if (!import_option_set(&t->dir->arena, &t->options, str_from(name), str_from(value), &err))
        fail_msg("%s", err.detail);
}

static int
write_file(struct temp_dir *dir, const char *name, struct str bytes)
{
    struct err err;
    int fd = fs_open_at(AT_FDCWD, temp_path(dir, name), O_RDWR | O_CREAT | O_TRUNC, &err);
    assert_true(fd >= 0 && fs_write(fd, bytes, &err));
    return fd;
}

/* Each import makes the next version of dataset 1, from the one before it. */
static bool
import_bytes(struct attempt *t, const char *dataset, struct str csv)
{
    struct arena *a = &t->dir->arena;
    struct str job = arena_printf(a, "job%u", ++t->version);
    scoped_fd source = write_file(t->dir, "source", csv);
    scoped_fd rejects = write_file(t->dir, "rejects", (struct str){0});
    t->task = (struct import_task){
        .config = &t->config,
        .data_dir = t->dir->path,
        .job_id = job,
        .dataset = str_from(dataset),
        .options = &t->options,
        .source_fd = source,
        .source_length = csv.n,
        .source_name = STR("test.csv"),
        .base = t->base.number ? &t->base : NULL,
        .dataset_folder = arena_printf(a, "datasets/1/%s", job.p),
        .rejects_fd = rejects,
        .on_progress = on_progress,
        .context = t,
    };
    t->is_done = import_run(a, &t->task, &t->publication, &t->err);
    if (t->is_done)
        t->base = (struct dataset_version){.dataset_id = 1,
                                           .number = t->version,
                                           .job_id = job,
                                           .schema_json = t->publication.schema_json};
    return t->is_done;
}

static bool
import_text(struct attempt *t, const char *dataset, const char *csv)
{
    return import_bytes(t, dataset, str_from(csv));
}

/* All rows of the version as text: cells by ',', rows by ';'. */
static struct str
rows_of(struct attempt *t)
{
    struct arena *a = &t->dir->arena;
    struct schema schema;
    struct err err;
    struct rows_column columns[50];
    size_t wanted[50];
    struct value values[50];
    scoped_buf out;
    buf_init(&out, MIB);
    assert_true(schema_parse_json(a, t->publication.schema_json, &schema, &err));
    for (size_t i = 0; i < schema.column_count; i++) {
        columns[i] = (struct rows_column){.name = schema.columns[i].name,
                                          .type = schema.columns[i].type};
        wanted[i] = i;
    }
    const char *path =
        arena_printf(a, "%s/%s/rows.db", t->dir->path, t->task.dataset_folder.p).p;
    struct rows *rows = rows_open(path, columns, schema.column_count, &err);
    assert_non_null(rows);
    for (uint64_t n = 1; rows_get(rows, n, wanted, schema.column_count, values, &err) == 1; n++)
        for (size_t i = 0; i < schema.column_count; i++) {
            if (n > 1 || i)
                buf_add_char(&out, i ? ',' : ';');
            if (values[i].is_null)
                buf_add_lit(&out, "-");
            else if (schema.columns[i].type == COLUMN_REAL)
                buf_printf(&out, "%g", values[i].d);
            else if (column_type_is_textual(schema.columns[i].type))
                buf_add(&out, values[i].text);
            else
                buf_printf(&out, "%lld", (long long)values[i].i);
        }
    rows_close(&rows);
    return arena_str(a, buf_str(&out));
}

static void
expect_rows(struct attempt *t, const char *expected)
{
    if (!t->is_done)
        fail_msg("%s: %s", err_code(&t->err), t->err.detail);
    assert_string_equal(rows_of(t).p, expected);
}

static void
expect_failure(struct attempt *t, const char *code)
{
    struct stat st;
    if (t->is_done)
        fail_msg("it should have failed with %s", code);
    if (strcmp(err_code(&t->err), code) != 0)
        fail_msg("%s instead of %s: %s", err_code(&t->err), code, t->err.detail);
    const char *folder = temp_path(t->dir, t->task.dataset_folder.p);
    assert_int_equal(stat(folder, &st), -1);
}

static int64_t
receipt_number(struct attempt *t, const char *name)
{
    const struct json_value *receipt;
    struct err err;
    int64_t v = -1;
    assert_true(json_read(&t->dir->arena, t->publication.receipt_json, &receipt, &err));
    assert_true(json_as_i64(json_get(receipt, name), &v));
    return v;
}

static void
expect_counts(struct attempt *t, int64_t accepted, int64_t rejected, int64_t duplicates)
{
    assert_int_equal(receipt_number(t, "accepted"), accepted);
    assert_int_equal(receipt_number(t, "rejected"), rejected);
    assert_int_equal(receipt_number(t, "duplicates"), duplicates);
    assert_int_equal(receipt_number(t, "rows_in"), accepted + rejected + duplicates);
}

/* The reasons and lines of the rejects, as "2 bad_value, 5 duplicate_key". */
static void
expect_rejects(struct attempt *t, const char *expected)
{
    struct err err;
    scoped_buf text, out;
    buf_init(&text, MIB);
    buf_init(&out, MIB);
    assert_true(fs_read_file(&text, AT_FDCWD, temp_path(t->dir, "rejects"), &err));
    for (struct str rest = buf_str(&text); rest.n;) {
        const struct json_value *reject;
        struct str reason, raw;
        int64_t line, offset;
        assert_true(json_read(&t->dir->arena, str_cut(&rest, '\n'), &reject, &err));
        assert_true(json_as_str(json_get(reject, "reason"), &reason));
        assert_true(json_as_str(json_get(reject, "raw"), &raw));
        assert_true(json_as_i64(json_get(reject, "line"), &line));
        assert_true(json_as_i64(json_get(reject, "offset"), &offset));
        buf_printf(&out, "%s%lld %.*s", out.n ? ", " : "", (long long)line, STR_ARG(reason));
    }
    buf_add_char(&out, '\0');
    assert_string_equal(out.p, expected);
}

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
        {"mode", "merge"},   {"encoding", "ebcdic"}, {"delimiter", "ab"},    {"header", "yes"},
        {"decimal", ";"},    {"types", "a:money"},   {"types", "{\"a\":1}"}, {"on_error", "x"},
        {"max_errors", "0"}, {"nulls", "[1]"},       {"modes", "append"},
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

static void
upsert_needs_a_key(void **state)
{
    struct attempt t;
    begin(&t, *state);
    set(&t, "mode", "upsert");
    import_text(&t, "free", "a\n1\n");
    expect_failure(&t, "bad_parameter");
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
    for (size_t i = 0; i < 150; i++)
        buf_add_lit(&csv, "x\n");
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
    const char *path =
        arena_printf(a, "%s/%s/rows.db", t->dir->path, t->task.dataset_folder.p).p;
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
    static const char *const FILES[] = {"games_100.csv", "games_5k.csv"};
    struct temp_dir *dir = *state;
    const char *shared = getenv("PLAYMETER_SHARED");
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        scoped_buf text;
        struct err err;
        buf_init(&text, 64 * MIB);
        const char *path =
            arena_printf(&dir->arena, "%s/data/%s", shared ? shared : "../shared", FILES[i]).p;
        if (access(path, R_OK)) {
            print_message("skipped: shared data absent\n");
            continue;
        }
        assert_true(fs_read_file(&text, AT_FDCWD, path, &err));
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
        TEST(a_declared_dataset_takes_its_columns_in_any_order),
        TEST(missing_columns_are_named_with_what_is_near),
        TEST(the_last_good_row_of_a_key_wins),
        TEST(types_of_a_declared_dataset_cannot_be_given),
        TEST(an_undeclared_dataset_gets_types_and_names),
        TEST(types_and_key_can_be_given),
        TEST(options_change_how_a_file_is_read),
        TEST(an_option_that_is_wrong_says_so),
        TEST(printing_options_and_parsing_them_is_identity),
        TEST(append_adds_rows_behind_the_old_ones),
        TEST(append_refuses_a_key_that_is_there),
        TEST(upsert_replaces_in_place_and_adds_the_rest),
        TEST(upsert_needs_a_key),
        TEST(rows_are_not_added_to_columns_that_changed),
        TEST(a_file_without_a_row_is_empty),
        TEST(a_header_alone_makes_a_dataset_without_rows),
        TEST(rows_of_another_length_are_rejected),
        TEST(bad_bytes_cost_their_row),
        TEST(an_unclosed_quote_costs_one_row),
        TEST(line_ends_marks_and_newlines_in_cells_are_read),
        TEST(utf_16_is_read_and_offsets_are_told),
        TEST(a_cell_of_a_mebibyte_is_kept_and_a_larger_one_rejected),
        TEST(what_is_no_csv_is_refused),
        TEST(limits_are_kept),
        TEST(errors_can_stop_an_import),
        TEST(rejects_are_capped_and_still_counted),
        TEST(a_cancelled_import_leaves_nothing),
        TEST(real_files_have_what_a_simple_reading_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
