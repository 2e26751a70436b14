/* The parser against texts that others wrote: csv-spectrum with its JSON twins, the invalid
 * sequences of utf8tests at every cut, the naughty strings written and read back, and the
 * sample of games. */
#include "base/utf8.h"
#include "csv/detect.h"
#include "shared_data.h"

#include <json-c/json.h>
#include <string.h>

static const struct csv_dialect PLAIN = {.delimiter = ',', .quote = '"'};

/* All rows, kept. */
struct table {
    struct arena arena;
    struct str cells[40000];
    size_t row_starts[20000], row_count, cell_count, faults;
};

static bool
keep_row(void *context, const struct csv_row *row, struct err *err UNUSED)
{
    struct table *t = context;
    assert_true(t->row_count + 1 < COUNT_OF(t->row_starts));
    assert_true(t->cell_count + row->cell_count <= COUNT_OF(t->cells));
    t->faults += row->fault != CSV_OK;
    t->row_starts[t->row_count++] = t->cell_count;
    for (size_t i = 0; i < row->cell_count; i++)
        t->cells[t->cell_count++] = arena_str(&t->arena, row->cells[i]);
    t->row_starts[t->row_count] = t->cell_count;
    return true;
}

static struct table *
read_table(struct csv_dialect dialect, struct str text, size_t cut)
{
    struct table *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    scoped_csv csv = csv_open(dialect, keep_row, t);
    struct err err = {0};
    assert_true(csv_feed(csv, str_slice(text, 0, cut), &err));
    assert_true(csv_feed(csv, str_skip(text, cut), &err));
    assert_true(csv_finish(csv, &err));
    return t;
}

static void
free_table(struct table **t)
{
    arena_free(&(*t)->arena);
    free(*t);
}
#define scoped_table SCOPED(free_table) struct table *

static size_t
row_width(const struct table *t, size_t row)
{
    return t->row_starts[row + 1] - t->row_starts[row];
}

/* ---- csv-spectrum ---- */

/* Row `row` of the table is the object: same columns, same values.  `skipped` is a column whose
 * value the corpus has wrong. */
static void
assert_row_is(const struct table *t, size_t row, struct json_object *object,
              const char *skipped)
{
    assert_int_equal(row_width(t, row), json_object_object_length(object));
    for (size_t i = 0; i < row_width(t, row); i++) {
        const char *column = arena_cstr(&((struct table *)t)->arena, t->cells[i]);
        struct json_object *value;
        assert_true(json_object_object_get_ex(object, column, &value));
        struct str cell = t->cells[t->row_starts[row] + i];
        struct str expected = {json_object_get_string(value),
                               (size_t)json_object_get_string_len(value)};
        if (strcmp(column, skipped) != 0 && !str_eq(cell, expected))
            fail_msg("row %zu, %s: '%.*s'", row, column, (int)cell.n, cell.p);
    }
}

static void
assert_is_twin(struct str csv, const char *json, const char *skipped)
{
    struct json_object *twin = json_tokener_parse(json);
    assert_non_null(twin);
    scoped_table t = read_table(PLAIN, csv, csv.n / 2);
    assert_int_equal(t->faults, 0);
    if (json_object_is_type(twin, json_type_object)) {
        assert_int_equal(t->row_count, 2);
        assert_row_is(t, 1, twin, skipped);
    } else {
        assert_int_equal(t->row_count, 1 + json_object_array_length(twin));
        for (size_t i = 1; i < t->row_count; i++)
            assert_row_is(t, i, json_object_array_get_idx(twin, i - 1), skipped);
    }
    json_object_put(twin);
}

static void
add_with_crlf(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
            buf_add_char(out, '\r');
        buf_add_char(out, text.p[i]);
    }
}

static void
csv_spectrum_equals_its_json_twins(void **state UNUSED)
{
    static const char *const NAMES[] = {
        "comma_in_quotes",      "empty",    "empty_crlf",    "escaped_quotes",      "json",
        "location_coordinates", "newlines", "newlines_crlf", "quotes_and_newlines", "simple",
        "simple_crlf",          "utf8"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        char path[200];
        scoped_buf csv = {0}, json = {0}, crlf;
        buf_init(&crlf, MIB);
        snprintf(path, sizeof(path), "corpora/csv-spectrum/data/csvs/%s.csv", NAMES[i]);
        shared_read(&csv, path);
        snprintf(path, sizeof(path), "corpora/csv-spectrum/data/json/%s.json", NAMES[i]);
        shared_read(&json, path);
        /* The corpus lost the CRs of its _crlf files to a checkout; the twins still have them.
         */
        bool is_crlf = str_ends(str_from(NAMES[i]), STR("_crlf"));
        if (is_crlf)
            add_with_crlf(&crlf, buf_str(&csv));
        /* And this one's twin has another phone number. */
        bool is_other = strcmp(NAMES[i], "location_coordinates") == 0;
        assert_is_twin(buf_str(is_crlf ? &crlf : &csv), json.p,
                       is_other ? "Contact Phone Number" : "");
    }
}

/* ---- utf8tests ---- */

static bool
is_without_syntax(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(",\"\r\n", s.p[i])) /* finds the NUL too */
            return false;
    return s.n > 0;
}

static void
invalid_utf8_is_a_fault_at_every_cut(void **state UNUSED)
{
    scoped_buf file = {0};
    shared_read(&file, "corpora/utf8tests/data/utf8tests.bin");
    struct str rest = buf_str(&file);
    size_t checked = 0;
    while (rest.n) {
        struct str text = str_cut(&rest, '\n');
        str_cut(&text, ':');
        bool is_valid = str_eq(str_cut(&text, ':'), STR("valid"));
        if (!is_without_syntax(text))
            continue;
        scoped_buf row;
        buf_init(&row, KIB);
        buf_add_lit(&row, "a,");
        buf_add(&row, text);
        buf_add_lit(&row, ",\"");
        buf_add(&row, text);
        buf_add_lit(&row, "\"\nb\n");
        for (size_t cut = 0; cut <= row.n; cut++) {
            scoped_table t = read_table(PLAIN, buf_str(&row), cut);
            assert_int_equal(t->row_count, 2);
            assert_int_equal(t->faults, !is_valid);
            assert_true(str_eq(t->cells[1], text) && str_eq(t->cells[2], text));
        }
        checked++;
    }
    assert_true(checked >= 80);
}

static void
counting_utf8_does_not_depend_on_the_cut(void **state UNUSED)
{
    scoped_buf file = {0};
    shared_read(&file, "corpora/utf8tests/data/utf8tests.bin");
    struct str text = buf_str(&file);
    struct csv_utf8_count whole = {0};
    assert_int_equal(csv_count_utf8(&whole, text, true), text.n);
    assert_true(whole.sequences > 30 && whole.invalid > 100);
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct csv_utf8_count two = {0};
        size_t taken = csv_count_utf8(&two, str_slice(text, 0, cut), false);
        assert_true(taken <= cut && taken + 3 >= cut);
        csv_count_utf8(&two, str_skip(text, taken), true);
        assert_memory_equal(&two, &whole, sizeof(two));
    }
}

/* ---- what is written reads back ---- */

static void
assert_reads_back(struct csv_dialect dialect, const struct str *cells, size_t n, size_t width)
{
    scoped_buf text;
    buf_init(&text, 16 * MIB);
    for (size_t i = 0; i + width <= n; i += width)
        csv_add_row(&text, dialect, cells + i, width);
    scoped_table t = read_table(dialect, buf_str(&text), text.n / 3);
    assert_int_equal(t->cell_count, n / width * width);
    assert_int_equal(t->faults, 0);
    for (size_t i = 0; i < t->cell_count; i++)
        if (!str_eq(t->cells[i], cells[i]))
            fail_msg("'%.*s' came back as '%.*s'", (int)cells[i].n, cells[i].p,
                     (int)t->cells[i].n, t->cells[i].p);
    for (size_t row = 0; row < t->row_count; row++)
        assert_int_equal(row_width(t, row), width);
}

static const struct csv_dialect DIALECTS[] = {
    {',', '"', true}, {';', '\'', true}, {'\t', '"', true}, {'|', '"', true}, {'a', 'e', true}};

static void
naughty_strings_read_back(void **state UNUSED)
{
    scoped_buf json = {0};
    shared_read(&json, "corpora/blns/data/blns.json");
    struct json_object *list = json_tokener_parse(json.p);
    assert_non_null(list);
    size_t n = json_object_array_length(list);
    struct str *cells = calloc(n, sizeof(*cells));
    assert_non_null(cells);
    assert_true(n > 400);
    for (size_t i = 0; i < n; i++) {
        struct json_object *text = json_object_array_get_idx(list, i);
        cells[i] = (struct str){json_object_get_string(text),
                                (size_t)json_object_get_string_len(text)};
        assert_int_equal(str_find_char(cells[i], '\0'), -1);
        assert_true(utf8_is_valid(cells[i]));
    }
    for (size_t d = 0; d < COUNT_OF(DIALECTS); d++)
        for (size_t width = 1; width <= 3; width++)
            assert_reads_back(DIALECTS[d], cells, n, width);
    free(cells);
    json_object_put(list);
}

static void
cells_of_pure_syntax_read_back(void **state UNUSED)
{
    static const char ALPHABET[] = "\",;'\r\n\t|ae x";
    enum { LENGTH = 4, COUNT = 20000 };
    scoped_arena a = {0};
    struct str *cells = arena_array(&a, COUNT, struct str);
    for (size_t i = 0; i < COUNT; i++) {
        char *text = arena_alloc(&a, LENGTH);
        size_t n = i % (LENGTH + 1), digits = i / (LENGTH + 1) * 5;
        for (size_t j = 0; j < n; j++, digits /= COUNT_OF(ALPHABET) - 1)
            text[j] = ALPHABET[digits % (COUNT_OF(ALPHABET) - 1)];
        cells[i] = (struct str){text, n};
    }
    for (size_t d = 0; d < COUNT_OF(DIALECTS); d++)
        assert_reads_back(DIALECTS[d], cells, COUNT, 2 + d);
}

/* ---- the sample ---- */

static void
the_sample_of_games_is_read(void **state UNUSED)
{
    scoped_buf file = {0};
    shared_read(&file, "data/games_5k.csv");
    struct csv_hints none = {0};
    struct csv_dialect dialect = csv_detect_dialect(buf_str(&file), &none);
    assert_true(dialect.delimiter == ',' && dialect.quote == '"' && dialect.has_header);
    struct str head = str_slice(buf_str(&file), 0, 300 * KIB);
    scoped_table rows = read_table(dialect, head, 12345);
    assert_true(rows->row_count > 100);
    for (size_t i = 0; i + 1 < rows->row_count; i++)
        assert_int_equal(row_width(rows, i), row_width(rows, 0));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_spectrum_equals_its_json_twins),
        cmocka_unit_test(invalid_utf8_is_a_fault_at_every_cut),
        cmocka_unit_test(counting_utf8_does_not_depend_on_the_cut),
        cmocka_unit_test(naughty_strings_read_back),
        cmocka_unit_test(cells_of_pure_syntax_read_back),
        cmocka_unit_test(the_sample_of_games_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
