/* Cells, lists, headers, the schema's JSON, and inference: tables of text and what it is. */
#include "temp_dir.h"

#include "base/date.h"
#include "import/infer.h"

#include <string.h>

static struct schema
schema_of(struct schema_column *column)
{
    size_t count;
    const struct str *words = schema_default_nulls(&count);
    return (struct schema){.columns = column,
                           .column_count = 1,
                           .key_index = SCHEMA_ROW_NUMBER,
                           .title_index = SCHEMA_ROW_NUMBER,
                           .date_index = SCHEMA_ROW_NUMBER,
                           .nulls = (struct str *)words,
                           .null_count = count};
}

#define REFUSED INT64_MIN
#define NOTHING INT64_MAX

static void
a_cell_is_read_by_its_type(void **state UNUSED)
{
    static const struct {
        enum column_type type;
        const char *cell;
        int64_t expected;
        char decimal;
    } CASES[] = {
        {COLUMN_INTEGER, "98", 98, '.'},
        {COLUMN_INTEGER, " 98.0 ", 98, '.'},
        {COLUMN_INTEGER, "98.000", 98, '.'},
        {COLUMN_INTEGER, "98.", 98, '.'},
        {COLUMN_INTEGER, "98.5", REFUSED, '.'},
        {COLUMN_INTEGER, "98,0", 98, ','},
        {COLUMN_INTEGER, "98.0", REFUSED, ','},
        {COLUMN_INTEGER, "-9223372036854775807", -INT64_MAX, '.'},
        {COLUMN_INTEGER, "9223372036854775808", REFUSED, '.'},
        {COLUMN_INTEGER, "abc", REFUSED, '.'},
        {COLUMN_INTEGER, ".0", REFUSED, '.'},
        {COLUMN_INTEGER, "1e3", REFUSED, '.'},
        {COLUMN_INTEGER, "", NOTHING, '.'},
        {COLUMN_INTEGER, " \t", NOTHING, '.'},
        {COLUMN_INTEGER, "N/A", NOTHING, '.'},
        {COLUMN_INTEGER, "\\N", NOTHING, '.'},
        {COLUMN_INTEGER, "na", REFUSED, '.'},
        {COLUMN_BOOLEAN, "TRUE", 1, '.'},
        {COLUMN_BOOLEAN, "Yes", 1, '.'},
        {COLUMN_BOOLEAN, "false", 0, '.'},
        {COLUMN_BOOLEAN, " nO ", 0, '.'},
        {COLUMN_BOOLEAN, "1", REFUSED, '.'},
        {COLUMN_BOOLEAN, "null", NOTHING, '.'},
        {COLUMN_DATE, "1970-01-02", 1, '.'},
        {COLUMN_DATE, "Jan 03, 1970", 2, '.'},
        {COLUMN_DATE, "Feb 1970", 31, '.'},
        {COLUMN_DATE, "Feb 30, 1970", REFUSED, '.'},
        {COLUMN_DATE, "02/01/1970", REFUSED, '.'},
        {COLUMN_DATETIME, "1970-01-01T00:00:01Z", 1000, '.'},
        {COLUMN_DATETIME, "1970-01-01 01:00", 3600000, '.'},
        {COLUMN_DATETIME, "1970-01-02", 86400000, '.'},
        {COLUMN_DATETIME, "1970-01-01T02:00:00+02:00", 0, '.'},
        {COLUMN_DATETIME, "1970-01-01T25:00:00Z", REFUSED, '.'},
    };
    struct str formats[] = {STR_INIT("%b %d, %Y"), STR_INIT("%b %Y")};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct schema_column column = {.type = CASES[i].type,
                                       .formats = formats,
                                       .format_count = 2,
                                       .decimal = CASES[i].decimal};
        struct schema schema = schema_of(&column);
        struct value v;
        struct err err;
        bool ok = schema_parse_cell(NULL, &schema, 0, str_from(CASES[i].cell), &v, &err);
        int64_t got = !ok ? REFUSED : v.is_null ? NOTHING : v.i;
        if (got != CASES[i].expected)
            fail_msg("'%s' as %s gave %lld", CASES[i].cell, column_type_name(CASES[i].type),
                     (long long)got);
    }
}

static void
a_real_is_finite_and_keeps_to_its_decimal_sign(void **state UNUSED)
{
    struct schema_column column = {.type = COLUMN_REAL, .decimal = ','};
    struct schema schema = schema_of(&column);
    struct value v;
    struct err err;
    assert_true(schema_parse_cell(NULL, &schema, 0, STR("19,99"), &v, &err));
    assert_true(v.d == 19.99);
    assert_false(schema_parse_cell(NULL, &schema, 0, STR("1.999,5"), &v, &err));
    column.decimal = '.';
    assert_true(schema_parse_cell(NULL, &schema, 0, STR(" -1.5e3 "), &v, &err));
    assert_true(v.d == -1500);
    assert_false(schema_parse_cell(NULL, &schema, 0, STR("inf"), &v, &err));
    assert_string_equal(err.detail, "'inf' is not a finite number");
    assert_false(schema_parse_cell(NULL, &schema, 0, STR("1,5"), &v, &err));
}

static void
a_zone_is_taken_from_the_column_where_the_cell_has_none(void **state UNUSED)
{
    struct schema_column column = {.type = COLUMN_DATETIME, .offset_ms = 7200000};
    struct schema schema = schema_of(&column);
    struct value v;
    struct err err;
    assert_true(schema_parse_cell(NULL, &schema, 0, STR("1970-01-01 02:00:00"), &v, &err));
    assert_int_equal(v.i, 0);
    assert_true(schema_parse_cell(NULL, &schema, 0, STR("1970-01-01T02:00:00Z"), &v, &err));
    assert_int_equal(v.i, 7200000);
    assert_true(
        schema_parse_cell(NULL, &schema, 0, STR("1970-01-01T02:00:00+01:00"), &v, &err));
    assert_int_equal(v.i, 3600000);
}

static void
text_keeps_every_byte(void **state UNUSED)
{
    struct schema_column column = {.type = COLUMN_TEXT};
    struct schema schema = schema_of(&column);
    struct value v;
    struct err err;
    static const char *const TEXTS[] = {"", " a ", "NA", "null", "\xc3\xa9\n"};
    for (size_t i = 0; i < COUNT_OF(TEXTS); i++) {
        assert_true(schema_parse_cell(NULL, &schema, 0, str_from(TEXTS[i]), &v, &err));
        assert_false(v.is_null);
        assert_true(str_eq(v.text, str_from(TEXTS[i])));
    }
}

/* ---- lists ---- */

static void
a_list_is_split_as_python_or_at_commas(void **state)
{
    /* Expected elements are joined by '|'. */
    static const struct {
        const char *raw, *expected;
    } CASES[] = {
        {"", ""},
        {"   ", ""},
        {"[]", ""},
        {"Action", "Action"},
        {"Action, Indie ,RPG", "Action|Indie|RPG"},
        {"Action,,Indie,", "Action|Indie"},
        {"['English']", "English"},
        {" [ 'English' , \"French\" ] ", "English|French"},
        {"['it\\'s', \"say \\\"hi\\\"\"]", "it's|say \"hi\""},
        {"[\"it's\", 'a,b']", "it's|a,b"},
        {"['caf\\xe9', '\\u65e5', '\\U0001f600', 'a\\\\b', 'c\\qd']",
         "caf\xc3\xa9|\xe6\x97\xa5|\xf0\x9f\x98\x80|a\\b|c\\qd"},
        {"['a', 'b',]", "a|b"},
        {"['a' 'b']", "['a' 'b']"},
        {"[1, 2]", "[1|2]"},
        {"['open]", "['open]"},
        {"['bad\\ud800']", "['bad\\ud800']"},
        {"KOEI TECMO GAMES CO., LTD.", "KOEI TECMO GAMES CO., LTD."},
        {"Valve, Perpetual FX Creative, Inc.", "Valve|Perpetual FX Creative, Inc."},
        {"Foo,LLC,Bar , S.L.,Baz", "Foo,LLC|Bar , S.L.|Baz"},
        {"Big Co., Ltd, GmbH", "Big Co., Ltd, GmbH"},
        {"Foo, Co., Ltd.", "Foo, Co., Ltd."},
        {"Inc., Foo", "Inc.|Foo"},
        {"Foo, Incorporated", "Foo|Incorporated"},
        {"Foo, L.L.C", "Foo, L.L.C"},
    };
    struct temp_dir *dir = *state;
    struct str join[] = {STR_INIT("inc."), STR_INIT("llc"),  STR_INIT("ltd"),
                         STR_INIT("s.l."), STR_INIT("gmbh"), STR_INIT("co.")};
    struct schema_column column = {
        .type = COLUMN_LIST, .list_join = join, .list_join_count = COUNT_OF(join)};
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct str *elements;
        size_t count;
        scoped_buf joined;
        buf_init(&joined, 4 * KIB);
        schema_split_list(&dir->arena, &column, str_from(CASES[i].raw), &elements, &count);
        for (size_t j = 0; j < count; j++) {
            if (j)
                buf_add_char(&joined, '|');
            buf_add(&joined, elements[j]);
        }
        if (!str_eq(buf_str(&joined), str_from(CASES[i].expected)))
            fail_msg("%s became %.*s", CASES[i].raw, STR_ARG(buf_str(&joined)));
    }
}

/* ---- names ---- */

static void
a_header_becomes_a_unique_name(void **state)
{
    static const struct {
        const char *header, *name;
    } CASES[] = {
        {"AppID", "app_id"},
        {"Release date", "release_date"},
        {"app_id", "app_id_2"},
        {"", "column_4"},
        {"  % ", "column_5"},
        {"2019", "c_2019"},
        {"Prix (\xe2\x82\xac)", "prix"},
        {"PRIX", "prix_2"},
        {"App ID", "app_id_3"},
        {"a--b__c", "a_b_c"},
        {"Gr\xc3\xb6\xc3\x9f"
         "e [MB]",
         "grosse_mb"},
        {"T\xc3\xadtulo", "titulo"},
        {"Ann\xc3\xa9"
         "eSortie",
         "annee_sortie"},
        {"\xc5\x81\xc3\xb3"
         "d\xc5\xba \xc3\x86ra m\xc2\xb2",
         "lodz_aera_m2"},
        {"\xe5\x80\xa4\xe6\xae\xb5", "column_15"},
        {"Pr\xe9"
         "cio",
         "pr_cio"},              /* no UTF-8 */
        {"\xef\xb7\xba x", "x"}, /* one code point that stands for eighteen */
    };
    struct temp_dir *dir = *state;
    struct map taken;
    map_init(&dir->arena, &taken, COUNT_OF(CASES));
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct str name = schema_make_name(&dir->arena, str_from(CASES[i].header), &taken);
        if (!str_eq(name, str_from(CASES[i].name)))
            fail_msg("'%s' became %.*s", CASES[i].header, STR_ARG(name));
        assert_true(schema_dataset_name_is_valid(name));
    }
}

static void
a_long_header_becomes_a_name_of_bounded_length(void **state)
{
    struct temp_dir *dir = *state;
    char header[500];
    memset(header, 'x', sizeof(header));
    struct map taken;
    map_init(&dir->arena, &taken, 2);
    struct str name = schema_make_name(&dir->arena, (struct str){header, 500}, &taken);
    assert_true(schema_dataset_name_is_valid(name));
    assert_false(
        str_eq(name, schema_make_name(&dir->arena, (struct str){header, 500}, &taken)));
}

/* The first suffix that is free, whoever took the others. */
static void
names_that_collide_count_on(void **state)
{
    static const struct {
        const char *header, *name;
    } CASES[] = {{"a_2", "a_2"},
                 {"a", "a"},
                 {"a", "a_3"},
                 {"a 2", "a_2_2"},
                 {"A", "a_4"},
                 {"a_5", "a_5"},
                 {"a", "a_6"},
                 {"a_2", "a_2_3"},
                 {"a_2_2", "a_2_2_2"},
                 {"", "column_10"},
                 {"column_11", "column_11"},
                 {"?", "column_12"},
                 {"column_14", "column_14"},
                 {"!", "column_14_2"}};
    struct temp_dir *dir = *state;
    struct map taken;
    map_init(&dir->arena, &taken, COUNT_OF(CASES));
    for (size_t i = 0; i < COUNT_OF(CASES); i++)
        assert_string_equal(
            arena_cstr(&dir->arena,
                       schema_make_name(&dir->arena, str_from(CASES[i].header), &taken)),
            CASES[i].name);
}

static void
printing_a_schema_and_parsing_it_is_identity(void **state)
{
    struct temp_dir *dir = *state;
    struct str formats[] = {STR_INIT("%b %Y")}, join[] = {STR_INIT("inc.")};
    struct schema_column columns[] = {
        {.name = STR("a"),
         .header = STR("A \"x\""),
         .type = COLUMN_DATE,
         .formats = formats,
         .format_count = 1,
         .decimal = '.',
         .offset_ms = -3600000},
        {.name = STR("b"),
         .header = STR(""),
         .type = COLUMN_LIST,
         .list_join = join,
         .list_join_count = 1,
         .decimal = ',',
         .is_similar = true},
    };
    struct schema schema = schema_of(columns), read;
    schema.column_count = 2;
    schema.key_index = 1;
    schema.date_index = 0;
    scoped_buf first, second;
    buf_init(&first, MIB);
    buf_init(&second, MIB);
    struct err err;
    schema_add_json(&first, &schema);
    assert_true(schema_parse_json(&dir->arena, buf_str(&first), &read, &err));
    schema_add_json(&second, &read);
    assert_true(str_eq(buf_str(&first), buf_str(&second)));
    assert_int_equal(read.key_index, 1);
    assert_true(read.title_index == SCHEMA_ROW_NUMBER);
    assert_int_equal(read.columns[0].offset_ms, -3600000);
    assert_false(schema_parse_json(&dir->arena, STR("{\"columns\":[{}]}"), &read, &err));
    assert_false(
        schema_parse_json(&dir->arena, STR("{\"columns\":[],\"key\":0}"), &read, &err));
}

/* ---- inference ---- */

static void
numbers_with_the_other_decimal_are_noticed(void **state UNUSED)
{
    static const struct {
        const char *cells[3];
        bool fits;
        char decimal;
    } CASES[] = {
        {{"1", "2,5"}, true, '.'},  {{"2,5", "", "-7"}, true, '.'}, {{"1", "2.5"}, true, ','},
        {{"1", "2,5"}, false, ','}, /* real already */
        {{"1", "2"}, false, '.'},   {{"2.5", "2,5"}, false, '.'},   {{"1.234,50"}, false, '.'},
        {{"2,5", "x"}, false, '.'}, {{"2020-01-31"}, false, '.'},   {{"true"}, false, '.'},
        {{"", "NA"}, false, '.'},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct schema_column unused = {0};
        struct schema schema = schema_of(&unused);
        struct infer_column column;
        infer_init(&column);
        for (size_t j = 0; j < 3 && CASES[i].cells[j]; j++)
            infer_add(&column, &schema, CASES[i].decimal, str_from(CASES[i].cells[j]));
        if (infer_fits_other_decimal(&column) != CASES[i].fits)
            fail_msg("case %zu (%s)", i, CASES[i].cells[0]);
    }
}

static void
the_type_of_a_column_fits_every_value(void **state UNUSED)
{
    static const struct {
        const char *cells[4];
        enum column_type type;
        char decimal;
    } CASES[] = {
        {{"1", "2", "-3"}, COLUMN_INTEGER, '.'},
        {{"1", "", "NA", " 4 "}, COLUMN_INTEGER, '.'},
        {{"1", "2.5"}, COLUMN_REAL, '.'},
        {{"1", "2.0"}, COLUMN_REAL, '.'},
        {{"1", "2,5"}, COLUMN_TEXT, '.'},
        {{"1", "2,5"}, COLUMN_REAL, ','},
        {{"1", "2.5"}, COLUMN_TEXT, ','},
        {{"1", "x"}, COLUMN_TEXT, '.'},
        {{"0", "10"}, COLUMN_INTEGER, '.'},
        {{"007", "8"}, COLUMN_TEXT, '.'},
        {{"1", "00.5"}, COLUMN_TEXT, '.'},
        {{"0.5"}, COLUMN_REAL, '.'},
        {{"+49"}, COLUMN_TEXT, '.'},
        {{"9007199254740992"}, COLUMN_INTEGER, '.'},
        {{"9007199254740993"}, COLUMN_TEXT, '.'},
        {{"12345678901234567890123"}, COLUMN_TEXT, '.'},
        {{"1.5", "9007199254740993"}, COLUMN_TEXT, '.'},
        {{"inf"}, COLUMN_TEXT, '.'},
        {{"1e3"}, COLUMN_REAL, '.'},
        {{"1e999"}, COLUMN_TEXT, '.'},
        {{"true", "FALSE", ""}, COLUMN_BOOLEAN, '.'},
        {{"true", "1"}, COLUMN_TEXT, '.'},
        {{"yes", "no"}, COLUMN_TEXT, '.'},
        {{"0", "1"}, COLUMN_INTEGER, '.'},
        {{"2020-01-31", ""}, COLUMN_DATE, '.'},
        {{"2020-02-30"}, COLUMN_TEXT, '.'},
        {{"Oct 21, 2008", "Oct 2008"}, COLUMN_DATE, '.'},
        {{"Oct 2008"}, COLUMN_TEXT, '.'},
        {{"01/02/2003"}, COLUMN_TEXT, '.'},
        {{"2020-01-31", "2020-01-31T08:00:00Z"}, COLUMN_DATETIME, '.'},
        {{"2020-01-31 08:00"}, COLUMN_DATETIME, '.'},
        {{"Oct 21, 2008", "2020-01-31T08:00:00Z"}, COLUMN_TEXT, '.'},
        {{"2020"}, COLUMN_INTEGER, '.'},
        {{"2020", "2020-01-31"}, COLUMN_TEXT, '.'},
        {{"", "NA"}, COLUMN_TEXT, '.'},
        {{NULL}, COLUMN_TEXT, '.'},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct schema_column unused = {0};
        struct schema schema = schema_of(&unused);
        struct infer_column forwards, backwards;
        infer_init(&forwards);
        infer_init(&backwards);
        for (size_t j = 0; j < 4; j++) {
            if (CASES[i].cells[j])
                infer_add(&forwards, &schema, CASES[i].decimal, str_from(CASES[i].cells[j]));
            if (CASES[i].cells[3 - j])
                infer_add(&backwards, &schema, CASES[i].decimal,
                          str_from(CASES[i].cells[3 - j]));
        }
        assert_int_equal(infer_type(&forwards), infer_type(&backwards));
        if (infer_type(&forwards) != CASES[i].type)
            fail_msg("case %zu (%s, %s) is %s", i, CASES[i].cells[0], CASES[i].cells[1],
                     column_type_name(infer_type(&forwards)));
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, temp_set_up, temp_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_cell_is_read_by_its_type),
        TEST(a_real_is_finite_and_keeps_to_its_decimal_sign),
        TEST(a_zone_is_taken_from_the_column_where_the_cell_has_none),
        TEST(text_keeps_every_byte),
        TEST(a_list_is_split_as_python_or_at_commas),
        TEST(a_header_becomes_a_unique_name),
        TEST(a_long_header_becomes_a_name_of_bounded_length),
        TEST(names_that_collide_count_on),
        TEST(printing_a_schema_and_parsing_it_is_identity),
        TEST(numbers_with_the_other_decimal_are_noticed),
        TEST(the_type_of_a_column_fits_every_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
