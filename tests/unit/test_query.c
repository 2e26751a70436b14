/* Pages: order against a plain sort, the cursor's walk, its refusals, rows by key, and rows
 * written as JSON and CSV. */
#include "version_fixture.h"

#include "csv/csv.h"
#include "json/read.h"

static struct ask
ask_of(struct arena *a, const char *name, const char *value)
{
    struct param param = {str_from(name), str_from(value)};
    struct filter *filter;
    struct err err = {0};
    fixture.version.common.info.number = 7;
    assert_true(filter_parse(a, &fixture.version.common.schema, &param, name != NULL,
                             STR("limit"), STR(""), &filter, &err));
    return (struct ask){.engine = &EMBEDDED_ENGINE,
                        .arena = a,
                        .version = &fixture.version.common,
                        .filter = filter};
}

static struct query
query_of(struct arena *a, const char *sort)
{
    struct query query = {.limit = 50};
    const struct schema *schema = &fixture.version.common.schema;
    struct err err = {0};
    if (!query_parse_sort(schema, str_from(sort), &query, &err))
        fail_msg("sort=%s: %s", sort, err.detail);
    assert_true(query_parse_fields(a, schema, STR(""), &query, &err));
    return query;
}

static struct query_result
run(struct ask *ask, const struct query *query)
{
    struct query_result result;
    struct err err = {0};
    assert_true(EMBEDDED_ENGINE.page(ask, query, &result, &err));
    return result;
}

/* ---- order ---- */

struct wish {
    size_t column;
    bool is_descending;
};
static struct arena *model_arena;
static struct wish model_sort[3];
static size_t model_sort_count;

static int
compare_values(size_t column, const struct value *a, const struct value *b)
{
    enum column_type type = FIXTURE_SCHEMA[column].type;
    if (column_type_is_textual(type))
        return str_cmp(fixture_fold(model_arena, a->text), fixture_fold(model_arena, b->text));
    if (type == COLUMN_REAL)
        return (a->d > b->d) - (a->d < b->d);
    return (a->i > b->i) - (a->i < b->i);
}

static int
compare_model_rows(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    for (size_t i = 0; i < model_sort_count; i++) {
        const struct value *va = &fixture.rows[a][model_sort[i].column];
        const struct value *vb = &fixture.rows[b][model_sort[i].column];
        if (va->is_null != vb->is_null)
            return va->is_null ? 1 : -1;
        int way = va->is_null ? 0 : compare_values(model_sort[i].column, va, vb);
        if (way != 0)
            return model_sort[i].is_descending ? -way : way;
    }
    return a < b ? -1 : 1;
}

static struct str
random_sort(struct arena *a)
{
    struct str text = {"", 0};
    model_sort_count = 1 + dice_below(3);
    for (size_t i = 0; i < model_sort_count; i++) {
        model_sort[i] = (struct wish){dice_below(FIXTURE_COLUMNS), dice_below(2)};
        text = arena_printf(a, "%" STR_FMT "%s%s%" STR_FMT, STR_ARG(text), i ? ", " : "",
                            model_sort[i].is_descending ? "-" : "",
                            STR_ARG(FIXTURE_SCHEMA[model_sort[i].column].name));
    }
    return text;
}

static void
order_equals_a_plain_sort_for_pages_and_exports(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(300); round++) {
        scoped_arena a = {0};
        uint64_t expected[FIXTURE_ROWS];
        size_t count = 0;
        bool is_filtered = dice_below(2);
        model_arena = &a;
        struct str sort = random_sort(&a);
        struct ask ask = ask_of(&a, is_filtered ? "age__notnull" : NULL, "");
        struct query query = query_of(&a, arena_cstr(&a, sort));
        query.limit = (uint64_t[]){0, 1, 7, 50, 1000}[dice_below(5)];
        query.offset = dice_below(3) ? 0 : dice_below(700);
        for (uint64_t r = 0; r < fixture.row_count; r++)
            if (!is_filtered || !fixture.rows[r][AGE].is_null)
                expected[count++] = r;
        qsort(expected, count, sizeof(*expected), compare_model_rows);
        struct query_result result = run(&ask, &query);
        size_t left = query.offset < count ? count - query.offset : 0;
        dice_reach("filtered", is_filtered);
        dice_reach("export", query.limit == 0);
        dice_reach("page between", result.has_more);
        dice_reach("last page", query.limit && left && !result.has_more);
        dice_reach("beyond the end", !left);
        assert_int_equal(result.total, count);
        assert_int_equal(result.row_count, query.limit ? MIN(left, query.limit) : left);
        assert_int_equal(result.has_more, result.row_count < left);
        for (size_t i = 0; i < result.row_count; i++)
            if (result.rows[i] != expected[query.offset + i])
                fail_msg("sort=%s: row %zu is %llu", arena_cstr(&a, sort), i,
                         (unsigned long long)result.rows[i]);
    }
    dice_end();
}

static void
rows_keep_their_order_without_sort(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct ask ask = ask_of(&a, NULL, NULL);
    struct query query = query_of(&a, "");
    query.offset = FIXTURE_ROWS - 10;
    struct query_result result = run(&ask, &query);
    assert_int_equal(result.row_count, 10);
    assert_int_equal(result.rows[0], FIXTURE_ROWS - 10);
    assert_int_equal(result.rows[9], FIXTURE_ROWS - 1);
    assert_false(result.has_more);
}

static void
bad_sorts_and_fields_are_refused(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct query query = {0};
    const struct schema *schema = &fixture.version.common.schema;
    struct err err = {0};
    assert_false(query_parse_sort(schema, STR("-prise"), &query, &err));
    assert_string_equal(err.name, "sort");
    assert_non_null(strstr(err.detail, "did you mean 'price'"));
    assert_false(query_parse_sort(schema, STR("name,price desc"), &query, &err));
    assert_non_null(strstr(err.detail, "did you mean '-price'?"));
    assert_false(query_parse_sort(schema, STR("price:DESC"), &query, &err));
    assert_non_null(strstr(err.detail, "did you mean '-price'?"));
    assert_false(query_parse_sort(schema, STR("age,"), &query, &err));
    assert_false(query_parse_sort(schema, STR("id,id,id,id,id,id,id,id,id"), &query, &err));
    assert_non_null(strstr(err.detail, "at most 8 columns"));
    assert_false(query_parse_fields(&a, schema, STR("age,nmae"), &query, &err));
    assert_string_equal(err.name, "fields");
    assert_non_null(strstr(err.detail, "did you mean 'name'"));
    assert_true(query_parse_fields(&a, schema, STR("name, age,name"), &query, &err));
    assert_int_equal(query.field_count, 2);
    assert_int_equal(query.fields[0], NAME);
    assert_int_equal(query.fields[1], AGE);
}

/* ---- cursors ---- */

static void
walk(const char *sort, uint64_t limit)
{
    scoped_arena a = {0};
    bool seen[FIXTURE_ROWS] = {false};
    uint64_t count = 0;
    struct str text = {NULL, 0};
    struct query_cursor cursor;
    struct err err = {0};
    for (bool has_more = true; has_more;) {
        struct ask ask = ask_of(&a, "age__notnull", "");
        struct query query = query_of(&a, sort);
        query.limit = limit;
        if (text.n > 0)
            assert_true(query_parse_cursor(text, &cursor, &err) &&
                        query_use_cursor(&query, &ask, &cursor, &err));
        struct query_result result = run(&ask, &query);
        for (size_t i = 0; i < result.row_count; i++) {
            assert_false(seen[result.rows[i]]);
            seen[result.rows[i]] = true;
        }
        count += result.row_count;
        has_more = result.has_more;
        assert_int_equal(has_more, count < result.total);
        text = query_make_cursor(&ask, &query, query.offset + result.row_count);
    }
    for (uint64_t r = 0; r < fixture.row_count; r++)
        assert_int_equal(seen[r], !fixture.rows[r][AGE].is_null);
}

static void
a_walk_returns_each_match_once_for_every_limit(void **state)
{
    (void)state;
    for (uint64_t limit = 1; limit < 40; limit++)
        walk("", limit);
    walk("", 479);
    walk("-price", 7);
    walk("free,name", 64);
    walk("tags", 601);
}

static void
cursors_of_other_requests_are_refused(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct err err = {0};
    struct query_cursor cursor;
    struct ask ask = ask_of(&a, "age", "1"), other = ask_of(&a, "age", "2");
    struct query query = query_of(&a, "-price"), resorted = query_of(&a, "price");
    assert_true(query_parse_cursor(query_make_cursor(&ask, &query, 50), &cursor, &err));
    assert_int_equal(cursor.version, 7);
    assert_true(query_use_cursor(&query, &ask, &cursor, &err));
    assert_int_equal(query.offset, 50);
    assert_false(query_use_cursor(&query, &other, &cursor, &err));
    assert_string_equal(err_code(&err), "cursor_mismatch");
    assert_int_equal(err.kind, ERR_BAD_PARAMETER);
    assert_false(query_use_cursor(&resorted, &ask, &cursor, &err));
    struct version elsewhere = *ask.version, later = *ask.version;
    elsewhere.dataset.id++;
    ask.version = &elsewhere;
    assert_false(query_use_cursor(&query, &ask, &cursor, &err));
    assert_string_equal(err_code(&err), "cursor_mismatch");
    later.info.number++;
    ask.version = &later;
    assert_false(query_use_cursor(&query, &ask, &cursor, &err));
    assert_int_equal(err.kind, ERR_GONE);
}

static void
every_altered_cursor_is_refused(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct err err = {0};
    struct query_cursor ignored;
    struct ask ask = ask_of(&a, NULL, NULL);
    struct query query = query_of(&a, "");
    struct str cursor = query_make_cursor(&ask, &query, 50);
    for (size_t i = 0; i < cursor.n; i++)
        for (const char *c = "Az09-_=\0/"; *c; c++) {
            struct str altered = arena_str(&a, cursor);
            if (altered.p[i] == *c)
                continue;
            ((char *)(uintptr_t)altered.p)[i] = *c;
            assert_false(query_parse_cursor(altered, &ignored, &err));
            assert_string_equal(err_code(&err), "bad_cursor");
        }
    assert_false(query_parse_cursor(STR(""), &ignored, &err));
    assert_false(query_parse_cursor(str_slice(cursor, 0, 42), &ignored, &err));
    assert_false(query_parse_cursor(STR("50"), &ignored, &err));
}

/* ---- keys ---- */

static int
find_key(const struct embedded_version *version, struct str text, uint64_t *row,
         struct err *err)
{
    scoped_arena a = {0};
    struct ask ask = {.arena = &a, .version = &version->common};
    struct value key;
    return query_parse_key(&version->common.schema, text, &key, err)
               ? EMBEDDED_ENGINE.find_key(&ask, &key, row, err)
               : -1;
}

/* A file of one column with these numbers. */
static void
open_ints(struct arena *a, const int64_t *ints, uint64_t count, struct columns *out)
{
    struct err err = {0};
    struct columns_spec spec = {COLUMN_INTEGER, 0};
    struct value *rows = arena_array(a, count, struct value);
    for (uint64_t row = 0; row < count; row++)
        rows[row].i = ints[row];
    scoped_fd fd = columns_file(&spec, 1, rows, count);
    assert_true(columns_open(a, out, fd, &err));
}

static void
every_row_is_found_by_its_key(void **state)
{
    (void)state;
    for (int ascends = 0; ascends < 2; ascends++) {
        struct embedded_version version = fixture.version;
        scoped_arena a = {0};
        struct err err = {0};
        uint64_t row = 0;
        int64_t *sorted = arena_array(&a, FIXTURE_ROWS, int64_t);
        for (uint64_t r = 0; r < fixture.row_count; r++)
            sorted[r] = (int64_t)r * 3 - 100;
        struct columns keys;
        open_ints(&a, sorted, fixture.row_count, &keys);
        version.columns.columns = arena_array(&a, FIXTURE_COLUMNS, struct column);
        memcpy(version.columns.columns, fixture.version.columns.columns,
               FIXTURE_COLUMNS * sizeof(struct column));
        if (ascends)
            version.columns.columns[ID] = keys.columns[0];
        version.key_ascends = ascends;
        for (uint64_t r = 0; r < fixture.row_count; r++) {
            int64_t key = ascends ? sorted[r] : fixture.rows[r][ID].i;
            struct str text = arena_printf(&a, "%lld", (long long)key);
            assert_int_equal(find_key(&version, text, &row, &err), 1);
            assert_int_equal(row, r);
        }
        assert_int_equal(find_key(&version, STR("7"), &row, &err), 0);
        assert_int_equal(find_key(&version, STR("99999999999999999999"), &row, &err), 0);
        assert_int_equal(find_key(&version, STR("seven"), &row, &err), -1);
        assert_non_null(strstr(err.detail, "'seven' is not an integer"));
        columns_close(&keys);
    }
}

static void
text_keys_are_exact_to_the_byte(void **state)
{
    (void)state;
    struct embedded_version version = fixture.version;
    struct key_index keys = {0};
    struct err err = {0};
    version.keys = &keys;
    version.common.schema.key_index = NAME;
    for (size_t i = 0; i < COUNT_OF(FIXTURE_WORDS); i++) {
        uint64_t row = 0, expected = 0;
        while (expected < fixture.row_count &&
               !str_eq(fixture.rows[expected][NAME].text, FIXTURE_WORDS[i]))
            expected++;
        int got = find_key(&version, FIXTURE_WORDS[i], &row, &err);
        assert_int_equal(got, expected < fixture.row_count);
        if (got == 1)
            assert_int_equal(row, expected);
    }
    uint64_t row;
    assert_int_equal(find_key(&version, STR("dRAGON"), &row, &err), 0);
    assert_int_equal(find_key(&version, STR("\xff"), &row, &err), 0);
    embedded_key_index_free(&keys);
}

static void
row_numbers_are_keys_where_there_is_no_other(void **state)
{
    (void)state;
    struct embedded_version version = fixture.version;
    struct err err = {0};
    uint64_t row = 0;
    version.common.schema.key_index = SCHEMA_ROW_NUMBER;
    assert_int_equal(find_key(&version, STR("700"), &row, &err), 1);
    assert_int_equal(row, FIXTURE_ROWS - 1);
    assert_int_equal(find_key(&version, STR("701"), &row, &err), 0);
    assert_int_equal(find_key(&version, STR("0"), &row, &err), 0);
    assert_int_equal(find_key(&version, STR("-1"), &row, &err), -1);
}

/* ---- rows as JSON and CSV ---- */

static void
check_json_value(const struct json_value *json, const struct value *v, enum column_type type)
{
    struct str text;
    int64_t i;
    scoped_buf day;
    buf_init(&day, 64);
    if (v->is_null) {
        assert_int_equal(json->kind, JSON_NULL);
        return;
    }
    switch (type) {
    case COLUMN_INTEGER:
        assert_true(json_as_i64(json, &i));
        assert_int_equal(i, v->i);
        break;
    case COLUMN_REAL:
        assert_true(strtod(json->text.p, NULL) == v->d);
        break;
    case COLUMN_BOOLEAN:
        assert_int_equal(json->kind, JSON_BOOL);
        assert_int_equal(json->boolean, v->i);
        break;
    case COLUMN_DATE:
    case COLUMN_DATETIME:
        if (type == COLUMN_DATE)
            date_add_day(&day, v->i);
        else
            date_add_timestamp(&day, v->i);
        assert_true(json_as_str(json, &text) && str_eq(text, buf_str(&day)));
        break;
    case COLUMN_TEXT:
        assert_true(json_as_str(json, &text) && str_eq(text, v->text));
        break;
    case COLUMN_LIST:
        assert_int_equal(json->child_count, v->element_count);
        for (size_t e = 0; e < v->element_count; e++)
            assert_true(str_eq(json->children[e].text, v->elements[e]));
        break;
    }
}

static void
json_rows_read_back_as_the_values(void **state)
{
    (void)state;
    for (uint64_t r = 0; r < fixture.row_count; r++) {
        scoped_arena a = {0};
        scoped_buf out;
        const struct json_value *object;
        struct err err = {0};
        struct query query = query_of(&a, "");
        buf_init(&out, MIB);
        export_add_json_row(&out, &fixture.version.common.schema, &query,
                            fixture_row(&fixture.version, &query, r),
                            &(struct export_number){"row", r});
        if (!json_read(&a, buf_str(&out), &object, &err))
            fail_msg("%s: %s", arena_cstr(&a, buf_str(&out)), err.detail);
        assert_int_equal(object->child_count, FIXTURE_COLUMNS + 1);
        assert_true(str_eq(object->children[0].text,
                           arena_printf(&a, "%llu", (unsigned long long)r + 1)));
        for (size_t c = 0; c < FIXTURE_COLUMNS; c++) {
            assert_true(str_eq(object->children[c + 1].key, FIXTURE_SCHEMA[c].name));
            check_json_value(&object->children[c + 1], &fixture.rows[r][c],
                             FIXTURE_SCHEMA[c].type);
        }
    }
}

static void
json_rows_have_the_fields_asked_for_in_their_order(void **state)
{
    (void)state;
    scoped_arena a = {0};
    scoped_buf out;
    struct err err = {0};
    struct query query = query_of(&a, "");
    uint64_t row = 0;
    while (fixture.rows[row][TAGS].element_count < 2)
        row++;
    buf_init(&out, MIB);
    assert_true(
        query_parse_fields(&a, &fixture.version.common.schema, STR("tags,id"), &query, &err));
    query.lists_are_raw = true;
    export_add_json_row(&out, &fixture.version.common.schema, &query,
                        fixture_row(&fixture.version, &query, row), NULL);
    const struct json_value *object;
    assert_true(json_read(&a, buf_str(&out), &object, &err));
    assert_int_equal(object->child_count, 2);
    assert_true(str_eq(object->children[0].text, fixture.rows[row][TAGS].text));
    assert_true(str_eq(object->children[1].key, STR("id")));
}

struct csv_check {
    size_t row_count;
    bool is_raw;
};

static bool
check_csv_row(void *context, const struct csv_row *csv, struct err *err)
{
    struct csv_check *check = context;
    (void)err;
    assert_int_equal(csv->cell_count, FIXTURE_COLUMNS);
    if (check->row_count++ == 0) {
        assert_true(str_eq(csv->cells[AGE], STR("Age, years")));
        assert_true(str_eq(csv->cells[FREE], check->is_raw ? STR("=Free") : STR("'=Free")));
        /* A blank header. */
        assert_true(str_eq(csv->cells[MIN_AGE], check->is_raw ? STR("") : STR("min_price")));
        return true;
    }
    const struct value *v = fixture.rows[check->row_count - 2];
    for (size_t c = NAME; c <= TAGS; c++) {
        struct str cell = csv->cells[c];
        bool is_formula =
            v[c].text.n > 0 && memchr("=+-@\t\r", v[c].text.p[0], 6) && !check->is_raw;
        if (is_formula) {
            assert_true(str_starts(cell, STR("'")));
            cell = str_skip(cell, 1);
        }
        assert_true(str_eq(cell, v[c].text));
    }
    assert_int_equal(csv->cells[AGE].n == 0, v[AGE].is_null);
    assert_int_equal(str_eq(csv->cells[FREE], STR("true")), !v[FREE].is_null && v[FREE].i);
    return true;
}

static void
csv_reads_back_and_runs_no_formula(void **state)
{
    (void)state;
    for (int is_raw = 0; is_raw < 2; is_raw++) {
        scoped_arena a = {0};
        scoped_buf out;
        struct err err = {0};
        struct csv_check check = {.is_raw = is_raw};
        struct query query = query_of(&a, "");
        buf_init(&out, 4 * MIB);
        query.lists_are_raw = true;
        export_add_csv_header(&out, &fixture.version.common.schema, &query, is_raw);
        for (uint64_t r = 0; r < fixture.row_count; r++)
            export_add_csv_row(&out, &fixture.version.common.schema, &query,
                               fixture_row(&fixture.version, &query, r), is_raw);
        scoped_csv csv = csv_open((struct csv_dialect){.delimiter = ',', .quote = '"'},
                                  check_csv_row, &check);
        assert_true(csv_feed(csv, buf_str(&out), &err));
        assert_true(csv_finish(csv, &err));
        assert_int_equal(check.row_count, fixture.row_count + 1);
    }
}

static void
a_lone_empty_cell_is_still_a_row(void **state)
{
    (void)state;
    scoped_arena a = {0};
    scoped_buf out;
    struct err err = {0};
    struct query query = query_of(&a, "");
    uint64_t row = 0;
    while (fixture.rows[row][NAME].text.n > 0)
        row++;
    buf_init(&out, MIB);
    assert_true(
        query_parse_fields(&a, &fixture.version.common.schema, STR("name"), &query, &err));
    query.lists_are_raw = true;
    export_add_csv_row(&out, &fixture.version.common.schema, &query,
                       fixture_row(&fixture.version, &query, row), false);
    assert_true(str_eq(buf_str(&out), STR("\"\"\r\n")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_equals_a_plain_sort_for_pages_and_exports),
        cmocka_unit_test(rows_keep_their_order_without_sort),
        cmocka_unit_test(bad_sorts_and_fields_are_refused),
        cmocka_unit_test(a_walk_returns_each_match_once_for_every_limit),
        cmocka_unit_test(cursors_of_other_requests_are_refused),
        cmocka_unit_test(every_altered_cursor_is_refused),
        cmocka_unit_test(every_row_is_found_by_its_key),
        cmocka_unit_test(text_keys_are_exact_to_the_byte),
        cmocka_unit_test(row_numbers_are_keys_where_there_is_no_other),
        cmocka_unit_test(json_rows_read_back_as_the_values),
        cmocka_unit_test(json_rows_have_the_fields_asked_for_in_their_order),
        cmocka_unit_test(csv_reads_back_and_runs_no_formula),
        cmocka_unit_test(a_lone_empty_cell_is_still_a_row),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
