/* Filters case by case: what each form of a parameter means, and what is refused with which
 * words. */
#include "version_fixture.h"

#include "index/columns_format.h"
#include "index/container.h"
#include "memory_file.h"

static uint64_t
count_of(const char *name, const char *value)
{
    scoped_arena a = {0};
    struct bitmap rows;
    struct err err = {0};
    if (!fixture_ask(&fixture, &a, str_from(name), str_from(value), &rows, &err))
        fail_msg("%s=%s: %s", name, value, err.detail);
    return bitmap_count(&rows);
}

static void
expect_refusal(const char *name, const char *value, enum err_kind kind, const char *words)
{
    scoped_arena a = {0};
    struct bitmap rows;
    struct err err = {0};
    assert_false(fixture_ask(&fixture, &a, str_from(name), str_from(value), &rows, &err));
    assert_int_equal(err.kind, kind);
    assert_string_equal(err.name, name);
    if (!strstr(err.detail, words))
        fail_msg("%s=%s: '%s' does not say '%s'", name, value, err.detail, words);
}

/* A route that has no such parameter is not asked for it again. */
static void
expect_silence(const char *name, const char *value, const char *words)
{
    scoped_arena a = {0};
    struct bitmap rows;
    struct err err = {0};
    assert_false(fixture_ask(&fixture, &a, str_from(name), str_from(value), &rows, &err));
    assert_null(strstr(err.detail, words));
}

/* ---- single cases ---- */

static void
bare_form_is_exact_for_numbers_and_substring_for_text(void **state)
{
    (void)state;
    assert_int_equal(count_of("age", "18"), count_of("age__exact", "18"));
    assert_int_equal(count_of("free", "yes"), count_of("free__exact", "true"));
    assert_int_equal(count_of("seen", "1970-01-01"), count_of("seen__exact", "1970-01-01"));
    assert_int_equal(count_of("about", "DRAG"), count_of("about__contains", "drag"));
    assert_int_equal(count_of("tags", "n;x"), count_of("tags__contains", "N;X"));
    assert_true(count_of("about", "dRAGON") > 0);
}

static void
wildcards_of_sql_are_plain_characters(void **state)
{
    (void)state;
    assert_int_equal(count_of("name__exact", "%"), 0);
    assert_true(count_of("name__contains", "0%") > 0);
    assert_true(count_of("name__contains", "_X_") > 0);
    assert_int_equal(count_of("name__contains", "d_agon"), 0);
}

static void
aliases_give_way_to_columns_of_their_name(void **state)
{
    (void)state;
    assert_int_equal(count_of("min_age", "17"), count_of("age__gte", "17"));
    assert_int_equal(count_of("max_age", "17"), count_of("age__lte", "17"));
    assert_int_equal(count_of("max_price", "9.99"), count_of("price__lte", "9.99"));
    /* min_price is a column here. */
    assert_int_equal(count_of("min_price", "2"), count_of("min_price__exact", "2"));
    assert_int_equal(count_of("before", "1970-01-03"), count_of("day__lt", "1970-01-03"));
    assert_int_equal(count_of("after", "1970-01-03"), count_of("day__gt", "1970-01-03"));
}

static void
lists_of_values_read_as_commas_or_json(void **state)
{
    (void)state;
    uint64_t both = count_of("age__in", "17, 18");
    assert_int_equal(both, count_of("age", "17") + count_of("age", "18"));
    assert_int_equal(both, count_of("age__in", "[17,18]"));
    assert_int_equal(both, count_of("age__in", " [\"17\", \"18\", 18]"));
    assert_int_equal(both, count_of("age__in", "[17.0, 1.8e1]"));
    assert_int_equal(count_of("name__in", "[\"a,b\"]"), count_of("name__exact", "a,b"));
    assert_int_equal(count_of("age__in", "[]"), 0);
    assert_int_equal(count_of("age__notin", "[]"), count_of("age__notnull", ""));
    assert_int_equal(count_of("name__in", ""), count_of("name__exact", ""));
    uint64_t words = count_of("name", "dragon") - count_of("name__exact", "dragons");
    assert_int_equal(count_of("name__in", "x1, dragon"), words);
    assert_int_equal(count_of("name__in", "[REDACTED],dragon"), words);
}

/* More values than are scanned one by one. */
static void
long_lists_of_values_answer_like_short_ones(void **state)
{
    (void)state;
    static const char *const LISTS[][2] = {
        {"age__%s", "0,1,2,3,17,18,-1,5,6,7,8,9,10,9007199254740993,18"},
        {"price__%s", "0,0.99,9.99,19.99,3,4,5,6,7,8,9,10"},
        {"seen__%s", "1970-01-01,1970-01-02,1969-12-31,2001-01-01,2001-01-02,2001-01-03,"
                     "2001-01-04,2001-01-05,1970-01-01"},
        {"name__%s", "dragon,é,x,100%,_x_,К,k,STRASSE,straße,e,日本"},
        {"tags__%s", "dragon,é,x,100%,_x_,К,k,STRASSE,straße,e,日本"},
    };
    for (size_t i = 0; i < COUNT_OF(LISTS); i++) {
        scoped_arena a = {0};
        struct str rest = str_from(LISTS[i][1]);
        struct bitmap expected = bitmap_new(&a, fixture.row_count), rows;
        struct err err = {0};
        struct str in =
            arena_printf(&a, "%.*s__in", (int)(strlen(LISTS[i][0]) - 4), LISTS[i][0]);
        struct str exact = arena_printf(&a, "%.*s__exact", (int)in.n - 4, in.p);
        while (rest.p) {
            assert_true(fixture_ask(&fixture, &a, exact, str_cut(&rest, ','), &rows, &err));
            bitmap_or(&expected, &rows);
        }
        assert_true(fixture_ask(&fixture, &a, in, str_from(LISTS[i][1]), &rows, &err));
        assert_true(bitmap_count(&rows) > 0);
        assert_memory_equal(rows.words, expected.words,
                            bitmap_word_count(fixture.row_count) * 8);
    }
}

static void
numbers_between_integers_are_bounds_only(void **state)
{
    (void)state;
    assert_int_equal(count_of("age__gt", "17.5"), count_of("age__gte", "18"));
    assert_int_equal(count_of("age__lt", "-0.5"), count_of("age__lte", "-1"));
    assert_int_equal(count_of("age__gte", "9007199254740992.5"),
                     count_of("age__gte", "9007199254740993"));
    assert_int_equal(count_of("age", "18.0"), count_of("age", "18"));
    assert_int_equal(count_of("age__lt", "1e30"), count_of("age__notnull", ""));
    assert_int_equal(count_of("age__gt", "99999999999999999999"), 0);
    assert_int_equal(count_of("age__gte", "-1e30"), count_of("age__notnull", ""));
    assert_int_equal(count_of("age", "1e30"), 0);
    expect_refusal("age__exact", "3.5", ERR_BAD_PARAMETER, "'3.5' is not an integer");
}

static bool
has_word(uint64_t row, size_t column, const char *word)
{
    scoped_arena a = {0};
    struct str text = fixture_fold(&a, fixture.rows[row][column].text);
    return memmem(text.p, text.n, word, strlen(word)) != NULL;
}

static void
words_are_found_anywhere_in_the_text_columns(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const char *const QUERIES[] = {
        "dragon", " DRAGON\t100% ", "é x", "日本\xe3\x80\x80\x44ragon", "nowhere dragon", "  "};
    for (size_t i = 0; i < COUNT_OF(QUERIES); i++) {
        struct filter *filter;
        struct bitmap rows;
        struct err err = {0};
        assert_true(filter_parse(&a, &fixture.version.common.schema, NULL, 0, STR("limit"),
                                 str_from(QUERIES[i]), &filter, &err));
        assert_true(embedded_filter_run(&a, filter, &fixture.version, 0, &rows, &err));
        for (uint64_t r = 0; r < fixture.row_count; r++) {
            static const char *const WORDS[][3] = {{"dragon"},  {"dragon", "100%"},
                                                   {"é", "x"},  {"日本", "dragon"},
                                                   {"nowhere"}, {NULL}};
            bool expected = true;
            for (size_t w = 0; w < 3 && WORDS[i][w]; w++)
                expected &= has_word(r, NAME, WORDS[i][w]) || has_word(r, ABOUT, WORDS[i][w]);
            assert_int_equal(bitmap_has(&rows, r), expected);
        }
    }
}

static void
refusals_name_what_and_suggest(void **state)
{
    (void)state;
    expect_refusal("prise", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'price'");
    expect_refusal("prise__gt", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'price'");
    expect_refusal("limt", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'limit'");
    expect_refusal("min_prise", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'min_price'?");
    expect_refusal("max_pric", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'max_price'?");
    expect_refusal("sort", "1", ERR_UNKNOWN_PARAMETER, "there is no column 'sort'");
    expect_silence("sort", "1", "did you mean 'sort'");
    expect_silence("order_by", "1", "did you mean 'sort'");
    expect_refusal("qwertyuiop", "1", ERR_UNKNOWN_PARAMETER, "there is no column 'qwertyuiop'");
    expect_refusal("price__gtt", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'gt'");
    expect_refusal("name__contain", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'contains'");
    expect_refusal("page", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'cursor'?");
    expect_refusal("offset", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'cursor'?");
    expect_refusal("columns", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'fields'?");
    expect_refusal("name__like", "1", ERR_UNKNOWN_PARAMETER, "did you mean 'contains'?");
    expect_refusal("price__like", "1", ERR_UNKNOWN_PARAMETER, "column 'price' (it has:");
    expect_refusal("price__contains", "1", ERR_UNKNOWN_PARAMETER, "it has: exact not gt gte");
    expect_refusal("price__", "1", ERR_UNKNOWN_PARAMETER, "'' is no operator");
    expect_refusal("min_tags", "1", ERR_UNKNOWN_PARAMETER, "list column 'tags'");
    expect_refusal("price__gt", "abc", ERR_BAD_PARAMETER, "'abc' is not a number");
    expect_refusal("price__gt", "", ERR_BAD_PARAMETER, "'' is not a number");
    expect_refusal("price__gt", "nan", ERR_BAD_PARAMETER, "'nan' is not a number");
    expect_refusal("free", "maybe", ERR_BAD_PARAMETER, "'maybe' is not true or false");
    expect_refusal("day__lt", "1970-02-30", ERR_BAD_PARAMETER, "'1970-02-30' is not a day");
    expect_refusal("seen", "noon", ERR_BAD_PARAMETER, "'noon' is not a time");
    expect_refusal("age__isnull", "perhaps", ERR_BAD_PARAMETER, "'perhaps'");
    expect_refusal("age__in", "1,x", ERR_BAD_PARAMETER, "'x' is not an integer");
    expect_refusal("age__gt", "3.x", ERR_BAD_PARAMETER, "'3.x' is not an integer");
    expect_refusal("age__in", "[1,", ERR_BAD_PARAMETER, "'[1' is not an integer");
    expect_refusal("name__in", "[\"a\",", ERR_BAD_PARAMETER, "not a JSON array");
    expect_refusal("age__in", "[null]", ERR_BAD_PARAMETER, "item 1");
    expect_refusal("name", "\xff", ERR_BAD_PARAMETER, "UTF-8");
}

static void
limits_are_enforced(void **state)
{
    (void)state;
    scoped_arena a = {0};
    char *commas = arena_alloc(&a, 8192);
    memset(commas, ',', 1000);
    expect_refusal("name__in", commas, ERR_BAD_PARAMETER, "at most 1000 values, got 1001");
    memset(commas, 'x', 4097);
    expect_refusal("name", commas, ERR_BAD_PARAMETER, "at most 4096 bytes, got 4097");
    struct param *params = arena_array(&a, 101, struct param);
    struct filter *filter;
    struct err err = {0};
    for (size_t i = 0; i < 101; i++)
        params[i] = (struct param){STR("age"), STR("1")};
    assert_true(filter_parse(&a, &fixture.version.common.schema, params, 100, STR("limit"),
                             STR(""), &filter, &err));
    assert_false(filter_parse(&a, &fixture.version.common.schema, params, 101, STR("limit"),
                              STR(""), &filter, &err));
    struct str words = STR("a b c d e f g h i j k l m n o p q");
    assert_false(filter_parse(&a, &fixture.version.common.schema, NULL, 0, STR("limit"), words,
                              &filter, &err));
    assert_non_null(strstr(err.detail, "at most 16 words"));
}

static void
a_deadline_that_has_passed_stops_the_filter(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct param param = {STR("about"), STR("dragon")};
    struct filter *filter;
    struct bitmap rows;
    struct err err = {0};
    assert_true(filter_parse(&a, &fixture.version.common.schema, &param, 1, STR("limit"),
                             STR(""), &filter, &err));
    assert_false(embedded_filter_run(&a, filter, &fixture.version, 1, &rows, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_string_equal(err_code(&err), "deadline");
}

static uint64_t
hash_of(struct arena *a, const struct param *params, size_t count)
{
    struct filter *filter;
    struct err err = {0};
    assert_true(filter_parse(a, &fixture.version.common.schema, params, count, STR("limit"),
                             STR(""), &filter, &err));
    return filter_hash(filter);
}

static void
hash_tells_filters_apart_but_not_their_order(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct param ab[] = {{STR("age"), STR("1")}, {STR("price__gt"), STR("2")}};
    struct param ba[] = {ab[1], ab[0]};
    struct param ac[] = {ab[0], {STR("price__gte"), STR("2")}};
    assert_int_equal(hash_of(&a, ab, 2), hash_of(&a, ba, 2));
    assert_int_not_equal(hash_of(&a, ab, 2), hash_of(&a, ac, 2));
    assert_int_not_equal(hash_of(&a, ab, 2), hash_of(&a, ab, 1));
}

/* What only a checksum of the whole file would notice: the answer may be wrong, but comes. */
static void
damaged_element_ids_stay_inside_the_map(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct err err = {0};
    struct fixture damaged = fixture;
    struct container sections;
    struct str good = fixture.version.columns.map.bytes, file = arena_str(&a, good);
    assert_true(container_open(&sections, file, COLUMNS_KIND, COLUMNS_VERSION, &err));
    struct str ids = container_find(&sections, SECTION_IDS, TAGS);
    struct str row_offsets = container_find(&sections, SECTION_ROW_OFFSETS, TAGS);
    memset((char *)ids.p, 0xfe, ids.n);
    memset((char *)row_offsets.p, 0, row_offsets.n);
    memset((char *)row_offsets.p + 8, 0xff, 8);
    scoped_fd fd = memory_file(file);
    assert_true(columns_open(&a, &damaged.version.columns, fd, &err));
    struct bitmap rows;
    assert_true(
        fixture_ask(&damaged, &a, STR("tags__in"), STR("1,2,3,4,5,6,7,8,9,x"), &rows, &err));
    assert_true(fixture_ask(&damaged, &a, STR("tags"), STR("x"), &rows, &err));
    struct query query = {.fields = (size_t[]){TAGS}, .field_count = 1};
    scoped_buf out = {.max = MIB};
    const struct value *row = fixture_row(&damaged.version, &query, 0);
    assert_int_equal(row[0].element_count, ids.n / sizeof(uint32_t));
    export_add_json_row(&out, &damaged.version.common.schema, &query, row, NULL);
    columns_close(&damaged.version.columns);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bare_form_is_exact_for_numbers_and_substring_for_text),
        cmocka_unit_test(wildcards_of_sql_are_plain_characters),
        cmocka_unit_test(aliases_give_way_to_columns_of_their_name),
        cmocka_unit_test(lists_of_values_read_as_commas_or_json),
        cmocka_unit_test(long_lists_of_values_answer_like_short_ones),
        cmocka_unit_test(numbers_between_integers_are_bounds_only),
        cmocka_unit_test(words_are_found_anywhere_in_the_text_columns),
        cmocka_unit_test(refusals_name_what_and_suggest),
        cmocka_unit_test(limits_are_enforced),
        cmocka_unit_test(a_deadline_that_has_passed_stops_the_filter),
        cmocka_unit_test(hash_tells_filters_apart_but_not_their_order),
        cmocka_unit_test(damaged_element_ids_stay_inside_the_map),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
