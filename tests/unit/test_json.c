/* The JSON reader against Nicolas Seriot's JSONTestSuite and rules of our own; the writer
 * against the reader. */
#include "base/fs.h"
#include "shared_data.h"
#include "json/read.h"
#include "json/write.h"

#include <dirent.h>
#include <string.h>

static bool
reads(const char *text)
{
    scoped_arena arena = {0};
    struct err err = {0};
    const struct json_value *value;
    return json_read(&arena, str_from(text), &value, &err);
}

static void
assert_refused(struct str text, const char *part_of_detail)
{
    scoped_arena arena = {0};
    struct err err = {0};
    const struct json_value *value;
    assert_false(json_read(&arena, text, &value, &err));
    assert_int_equal(err.kind, ERR_MALFORMED);
    if (!strstr(err.detail, part_of_detail))
        fail_msg("'%s' does not say '%s'", err.detail, part_of_detail);
}

/* Texts on which RFC 8259 leaves the verdict to us.  All others of the suite's i_ files are
 * refused: lone surrogates and broken UTF-8, other encodings, a BOM, and depth beyond ours. */
static const char *const ACCEPTED[] = {
    /* Numbers of any size: their text is kept, so nothing is lost. */
    "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",   "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",      "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",     "i_number_very_big_negative_int.json",
};

/* The suite counts these as right; we refuse them on purpose. */
static const char *const REFUSED[] = {
    "y_object_duplicated_key.json",
    "y_object_duplicated_key_and_value.json",
    "y_object_escaped_null_in_key.json",
    "y_string_null_escape.json",
};

static bool
is_listed(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool
is_expected_to_read(const char *name)
{
    if (name[0] == 'i')
        return is_listed(ACCEPTED, COUNT_OF(ACCEPTED), name);
    return name[0] == 'y' && !is_listed(REFUSED, COUNT_OF(REFUSED), name);
}

static void
json_test_suite(void **state UNUSED)
{
    scoped_arena arena = {0};
    const char *folder = shared_path("corpora/json-test-suite/data/test_parsing");
    DIR *dir = opendir(folder);
    size_t counts[256] = {0};
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.')
            continue;
        struct err err = {0};
        scoped_buf text;
        buf_init(&text, 8 * MIB);
        assert_true(fs_read_file(&text, AT_FDCWD,
                                 arena_printf(&arena, "%s/%s", folder, e->d_name).p, &err));
        const struct json_value *value;
        bool was_read = json_read(&arena, buf_str(&text), &value, &err);
        if (was_read != is_expected_to_read(e->d_name))
            fail_msg("%s: %s", e->d_name, was_read ? "was read" : err.detail);
        counts[(unsigned char)e->d_name[0]]++;
    }
    closedir(dir);
    assert_int_equal(counts['y'], 95);
    assert_int_equal(counts['n'], 188);
    assert_int_equal(counts['i'], 35);
}

static void
numbers_keep_their_text_and_are_integers_by_their_value(void **state UNUSED)
{
    scoped_arena arena = {0};
    struct err err = {0};
    const struct json_value *value;
    const char *text = "[9223372036854775808, -0, 1.0, 1e3, 9223372036854775807, 1e999, 0]";
    assert_true(json_read(&arena, str_from(text), &value, &err));
    assert_int_equal(value->child_count, 7);
    assert_true(str_eq(value->children[0].text, STR("9223372036854775808")));
    assert_true(str_eq(value->children[5].text, STR("1e999")));
    int64_t v;
    assert_false(json_as_i64(&value->children[0], &v));
    assert_true(json_as_i64(&value->children[2], &v));
    assert_int_equal(v, 1);
    assert_true(json_as_i64(&value->children[3], &v));
    assert_int_equal(v, 1000);
    assert_false(json_as_i64(&value->children[5], &v));
    assert_true(json_as_i64(&value->children[4], &v));
    assert_int_equal(v, INT64_MAX);
    assert_true(json_as_i64(&value->children[6], &v));
    assert_int_equal(v, 0);
}

static void
members_are_found_in_order(void **state UNUSED)
{
    scoped_arena arena = {0};
    struct err err = {0};
    const struct json_value *value;
    const char *text = " {\"b\": [1, {\"x\": null}], \"a\\u0062\": \"\\ud83d\\ude00\\n\", "
                       "\"\": true} ";
    assert_true(json_read(&arena, str_from(text), &value, &err));
    assert_int_equal(value->child_count, 3);
    assert_true(str_eq(value->children[0].key, STR("b")));
    assert_true(str_eq(value->children[0].text, STR("[1, {\"x\": null}]")));
    struct str s;
    assert_true(json_as_str(json_get(value, "ab"), &s));
    assert_true(str_eq(s, STR("\xf0\x9f\x98\x80\n")));
    assert_true(json_get(value, "")->boolean);
    assert_null(json_get(value, "c"));
    assert_null(json_get(json_get(value, "b"), "x"));
    assert_false(json_as_str(json_get(value, "b"), &s));
    assert_false(json_as_str(NULL, &s));
}

static void
what_json_c_would_accept_is_refused(void **state UNUSED)
{
    assert_refused(STR("{\"a\":1,\"a\":2}"), "same key more than once");
    assert_refused(STR("{\"x\":{\"a\":1,\"\\u0061\":2}}"), "byte 5");
    assert_refused(STR("NaN"), "a value is expected");
    assert_refused(STR("-Infinity"), "a digit is expected");
    assert_refused(STR("\"\\u0000\""), "NUL");
    assert_refused(STR("\"\0\""), "control character");
    assert_refused(STR("\"\\ud800\""), "surrogate");
    assert_refused(STR("\"\\ud800\\u0041\""), "surrogate");
    assert_refused(STR("\"\\udc00\""), "surrogate");
    assert_refused(STR("\"\xc0\x80\""), "UTF-8");
    assert_refused(STR("1 2"), "follows");
    assert_refused(STR("1\0"), "follows");
    assert_refused(STR("{} /* note */"), "follows");
    assert_refused(STR("'a'"), "a value is expected");
    assert_refused(STR(""), "too early");
    assert_refused(STR("[1,]"), "a value is expected");
    assert_refused(STR("{\"a\"}"), "':'");
}

static void
depth_is_bounded_at_sixteen(void **state UNUSED)
{
    assert_true(reads("[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"));
    assert_refused(STR("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"), "16 deep");
    assert_true(reads("{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"));
}

static void
printing_gives_back_what_was_read(void **state UNUSED)
{
    scoped_arena arena = {0};
    struct err err = {0};
    const struct json_value *value;
    scoped_buf out;
    buf_init(&out, KIB);
    struct str text = STR("{\"a\":[1.50,true,null,\"\\\"\\\\\\n\\u001b\\u007f\xc3\xa9\"],"
                          "\"b\":{},\"c\":[],\"d\":[[],{\"e\":1}]}");
    assert_true(json_read(&arena, text, &value, &err));
    json_add_value(&out, value);
    assert_true(str_eq(buf_str(&out), text));
}

static void
line_ends_of_unicode_are_escaped(void **state UNUSED)
{
    scoped_buf out;
    buf_init(&out, KIB);
    json_add_quoted(&out, STR("a\xc2\x85\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xc2\x86z"));
    assert_true(str_eq(buf_str(&out), STR("\"a\\u0085\\u2028\\u2029\xe2\x80\xaa\xc2\x86z\"")));
}

/* The writer looks at many bytes at once: every byte value at every place of strings that are
 * shorter and longer than that. */
static void
escapes_are_found_at_every_place(void **state UNUSED)
{
    enum { LENGTH_MAX = 50 };
    scoped_buf out;
    buf_init(&out, KIB);
    for (size_t n = 1; n < LENGTH_MAX; n++) {
        for (size_t at = 0; at < n; at++) {
            for (int c = 0; c < 256; c++) {
                char text[LENGTH_MAX], want[LENGTH_MAX + 16], middle[8] = {(char)c};
                memset(text, 'x', n);
                text[at] = (char)c;
                const char *named = c == '"'    ? "\\\""
                                    : c == '\\' ? "\\\\"
                                    : c == '\n' ? "\\n"
                                    : c == '\r' ? "\\r"
                                    : c == '\t' ? "\\t"
                                    : c >= 0x80 ? "\xef\xbf\xbd"
                                                : NULL;
                if (!named && (c < 0x20 || c == 0x7f))
                    snprintf(middle, sizeof(middle), "\\u%04x", c);
                snprintf(want, sizeof(want), "\"%.*s%s%.*s\"", (int)at, text,
                         named ? named : middle, (int)(n - at - 1), text + at + 1);
                buf_clear(&out);
                json_add_quoted(&out, (struct str){text, n});
                assert_true(str_eq(buf_str(&out), str_from(want)));
            }
        }
    }
}

static void
writer_keeps_commas_and_escapes(void **state UNUSED)
{
    scoped_buf out;
    buf_init(&out, KIB);
    struct json j = json_write(&out);
    json_begin_object(&j);
    json_member_str(&j, "text", STR("\xff<\"\r\n\t\\>"));
    json_member_f64(&j, "half", 0.5);
    json_member_i64(&j, "low", INT64_MIN);
    json_member_u64(&j, "high", UINT64_MAX);
    json_member_timestamp(&j, "never", 0);
    json_member_timestamp(&j, "then", 1769846400000);
    json_key(&j, "list");
    json_begin_array(&j);
    json_begin_array(&j);
    json_end_array(&j);
    json_begin_object(&j);
    json_end_object(&j);
    json_bool(&j, false);
    json_null(&j);
    json_raw(&j, STR("{\"x\":1}"));
    json_end_array(&j);
    json_member_bool(&j, "yes", true);
    json_end_object(&j);
    const char *want = "{\"text\":\"\xef\xbf\xbd<\\\"\\r\\n\\t\\\\>\",\"half\":0.5,"
                       "\"low\":-9223372036854775808,\"high\":18446744073709551615,"
                       "\"never\":null,\"then\":\"2026-01-31T08:00:00Z\","
                       "\"list\":[[],{},false,null,{\"x\":1}],\"yes\":true}";
    assert_true(str_eq(buf_str(&out), str_from(want)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_test_suite),
        cmocka_unit_test(numbers_keep_their_text_and_are_integers_by_their_value),
        cmocka_unit_test(members_are_found_in_order),
        cmocka_unit_test(what_json_c_would_accept_is_refused),
        cmocka_unit_test(depth_is_bounded_at_sixteen),
        cmocka_unit_test(printing_gives_back_what_was_read),
        cmocka_unit_test(line_ends_of_unicode_are_escaped),
        cmocka_unit_test(escapes_are_found_at_every_place),
        cmocka_unit_test(writer_keeps_commas_and_escapes),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
