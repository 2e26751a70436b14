/* multipart/form-data: what clients send is read, and every way it can be broken is named. */
#include "base/buf.h"
#include "http/multipart.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define TYPE STR("multipart/form-data; boundary=X")
#define DISPOSITION "Content-Disposition: form-data; "
/* A body of one part with this disposition. */
#define PART_OF(parameters) STR("--X\r\n" DISPOSITION parameters "\r\n\r\nv\r\n--X--\r\n")

static bool
parse(struct arena *a, struct str type, struct str body, struct multipart *out, struct err *err)
{
    /* A block of its own, so that a read beyond the body is seen by the sanitizer. */
    char *copy = malloc(body.n);
    assert_true(copy || body.n == 0);
    if (body.n)
        memcpy(copy, body.p, body.n);
    bool ok = multipart_parse(a, type, (struct str){copy, body.n}, out, err);
    for (size_t i = 0; ok && i < out->count; i++) {
        struct multipart_part *part = &out->parts[i];
        part->name = arena_str(a, part->name);
        part->filename = arena_str(a, part->filename);
        part->content_type = arena_str(a, part->content_type);
        part->value = arena_str(a, part->value);
    }
    free(copy);
    return ok;
}

static void
assert_fails(struct str type, struct str body, const char *words)
{
    scoped_arena a = {0};
    struct multipart m;
    struct err err = {0};
    assert_false(parse(&a, type, body, &m, &err));
    assert_int_equal(err.kind, ERR_MALFORMED);
    if (!strstr(err.detail, words))
        fail_msg("'%s' does not say '%s'", err.detail, words);
}

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_from(expected)))
        fail_msg("'%.*s' is not '%s'", (int)s.n, s.p, expected);
}

static void
a_form_as_curl_sends_it_is_read(void **state UNUSED)
{
    scoped_arena a = {0};
    struct multipart m;
    struct err err = {0};
    struct str body =
        STR("--------------------------d74496d66958873e\r\n"
            "Content-Disposition: form-data; name=\"mode\"\r\n\r\n"
            "append\r\n"
            "--------------------------d74496d66958873e\r\n"
            "Content-Disposition: form-data; name=\"file\"; filename=\"g.csv\"\r\n"
            "Content-Type: text/csv\r\n\r\n"
            "a,b\r\n--1,2\r\n\r\n"
            "--------------------------d74496d66958873e--\r\n");
    struct str type =
        STR("multipart/form-data; boundary=------------------------d74496d66958873e");
    assert_true(parse(&a, type, body, &m, &err));
    assert_int_equal(m.count, 2);
    assert_str(m.parts[0].name, "mode");
    assert_str(m.parts[0].value, "append");
    assert_false(m.parts[0].has_filename);
    assert_str(m.parts[0].content_type, "");
    const struct multipart_part *file = &m.parts[1];
    assert_str(file->name, "file");
    assert_str(file->filename, "g.csv");
    assert_str(file->content_type, "text/csv");
    assert_str(file->value, "a,b\r\n--1,2\r\n");
    assert_true(str_starts(str_skip(body, file->offset), file->value));
}

static void
boundaries_may_be_quoted_and_come_anywhere(void **state UNUSED)
{
    static const char *const TYPES[] = {
        "multipart/form-data; boundary=\"a b\"",
        "Multipart/Form-Data;charset=utf-8 ; BOUNDARY = \"a b\" ; x=y",
        "multipart/form-data; boundary=a b",
    };
    for (size_t i = 0; i < COUNT_OF(TYPES); i++) {
        scoped_arena a = {0};
        struct multipart m;
        struct err err = {0};
        struct str body = STR("before\r\n--a b \t\r\n" DISPOSITION "name=x\r\n\r\n"
                              "\r\n--a b--after");
        if (!parse(&a, str_from(TYPES[i]), body, &m, &err))
            fail_msg("%s: %s", TYPES[i], err.detail);
        assert_int_equal(m.count, 1);
        assert_str(m.parts[0].value, "");
    }
}

static void
bad_content_types_are_named(void **state UNUSED)
{
    struct str body = PART_OF("name=x");
    assert_fails(STR("text/csv"), body, "not multipart/form-data but 'text/csv'");
    assert_fails(STR(""), body, "not multipart/form-data");
    assert_fails(STR("multipart/form-data"), body, "no boundary parameter");
    assert_fails(STR("multipart/form-data; charset=x"), body, "no boundary parameter");
    assert_fails(STR("multipart/form-data; boundary=\"X"), body, "no boundary parameter");
    assert_fails(STR("multipart/form-data; boundary=\"\""), body, "got 0");
    assert_fails(STR("multipart/form-data; boundary=X\x01Y"), body, "printable");
    assert_fails(STR("multipart/form-data; boundary=12345678901234567890123456789012345678901"
                     "234567890123456789012345678901"),
                 body, "got 71");
}

static void
names_are_read_as_clients_write_them(void **state UNUSED)
{
    static const struct {
        struct str body;
        const char *name, *filename;
    } CASES[] = {
        {STR_INIT("--X\r\n" DISPOSITION "name=a; filename=b.csv\r\n\r\nv\r\n--X--"), "a",
         "b.csv"},
        {STR_INIT("--X\r\n" DISPOSITION "name=\"a;b\"; filename=\"\"\r\n\r\nv\r\n--X--"), "a;b",
         ""},
        {STR_INIT("--X\r\n" DISPOSITION
                  "name=\"a\\\"b\"; filename=\"C:\\dir\\f.csv\"\r\n\r\nv\r\n--X--"),
         "a\"b", "f.csv"},
        {STR_INIT("--X\r\n" DISPOSITION "name=a; filename=../../etc/passwd\r\n\r\nv\r\n--X--"),
         "a", "passwd"},
        {STR_INIT("--X\r\n" DISPOSITION "filename*=UTF-8''%e2%82%ac%20rates.csv; "
                  "filename=e.csv; name=a\r\n\r\nv\r\n--X--"),
         "a", "\xe2\x82\xac rates.csv"},
        {STR_INIT("--X\r\n" DISPOSITION
                  "name=a; filename=e; filename*=iso-8859-1'en'%A3\r\n\r\nv\r\n--X--"),
         "a", "\xc2\xa3"},
        {STR_INIT("--X\r\ncontent-disposition:form-data;NAME=a;FileName=b\r\n\r\nv\r\n--X--"),
         "a", "b"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        scoped_arena a = {0};
        struct multipart m;
        struct err err = {0};
        if (!parse(&a, TYPE, CASES[i].body, &m, &err))
            fail_msg("%zu: %s", i, err.detail);
        assert_int_equal(m.count, 1);
        assert_str(m.parts[0].name, CASES[i].name);
        assert_true(m.parts[0].has_filename);
        assert_str(m.parts[0].filename, CASES[i].filename);
        assert_str(m.parts[0].value, "v");
    }
}

static void
broken_parts_are_named(void **state UNUSED)
{
    assert_fails(TYPE, PART_OF("nam=x"), "Part 1 of the form has no name");
    assert_fails(TYPE, PART_OF("name=\"\""), "has no name");
    assert_fails(TYPE, PART_OF("name=\"x"), "not name=value");
    assert_fails(TYPE, PART_OF("name"), "not name=value");
    assert_fails(TYPE, PART_OF("name=\"x\"y"), "not name=value");
    assert_fails(TYPE, PART_OF("name=\xff"), "name that is not UTF-8");
    assert_fails(TYPE, PART_OF("name=x; filename=\xff"), "filename that is not UTF-8");
    assert_fails(TYPE, PART_OF("name=x; filename*=x"), "RFC 5987");
    assert_fails(TYPE, PART_OF("name=x; filename*=UTF-8''%4"), "RFC 5987");
    assert_fails(TYPE, PART_OF("name=x; filename*=EBCDIC''a"), "RFC 5987");
    assert_fails(TYPE, PART_OF("name=x\r\n" DISPOSITION "name=y"), "two Content-Disposition");
    assert_fails(TYPE, PART_OF("name=x\r\nContent-Transfer-Encoding: base64"), "bytes as they");
    assert_fails(TYPE, PART_OF("name=x\r\n folded"), "'name: value'");
    assert_fails(TYPE, STR("--X\r\nContent-Type: a/b\r\n\r\nv\r\n--X--"), "no Content-Disp");
    assert_fails(TYPE, STR("--X\r\nContent-Disposition: attachment; name=x\r\n\r\nv\r\n--X--"),
                 "not form-data");
}

static void
broken_bodies_are_named(void **state UNUSED)
{
    assert_fails(TYPE, STR(""), "does not contain the boundary 'X'");
    assert_fails(TYPE, STR("a,b\n1,2\n"), "does not contain");
    assert_fails(TYPE, STR("--Y\r\n"), "does not contain");
    assert_fails(TYPE, STR("--X--"), "has no parts");
    assert_fails(TYPE, STR("--X\r\n"), "empty line");
    assert_fails(TYPE, STR("--X\r\n" DISPOSITION "name=x\r\n"), "empty line");
    assert_fails(TYPE, STR("--X\r\n" DISPOSITION "name=x\r\n\r\n"), "no closing boundary");
    assert_fails(TYPE, STR("--X\r\n" DISPOSITION "name=x\r\n\r\nv\r\n--X"),
                 "no closing boundary");
    assert_fails(TYPE, STR("--X\r\n" DISPOSITION "name=x\r\n\r\nv\r\n--X\r\n"), "Part 2");
}

static void
lines_that_begin_like_the_boundary_are_data(void **state UNUSED)
{
    scoped_arena a = {0};
    struct multipart m;
    struct err err = {0};
    struct str body = STR("--Xy\r\n--X\r\n" DISPOSITION "name=x\r\n\r\n"
                          "--X\r\n--XY\r\n--X-\r\n-X\r\n--X--");
    assert_true(parse(&a, TYPE, body, &m, &err));
    assert_int_equal(m.count, 1);
    assert_str(m.parts[0].value, "--X\r\n--XY\r\n--X-\r\n-X");
}

static void
limits_are_kept(void **state UNUSED)
{
    scoped_buf form, head;
    buf_init(&form, MIB);
    for (size_t i = 0; i < MULTIPART_PARTS_MAX; i++)
        buf_add_lit(&form, "--X\r\n" DISPOSITION "name=x\r\n\r\nv\r\n");
    size_t length = form.n;
    buf_add_lit(&form, "--X--");
    scoped_arena a = {0};
    struct multipart m;
    struct err err = {0};
    assert_true(parse(&a, TYPE, buf_str(&form), &m, &err));
    assert_int_equal(m.count, MULTIPART_PARTS_MAX);
    form.n = length;
    buf_add_lit(&form, "--X\r\n" DISPOSITION "name=x\r\n\r\nv\r\n--X--");
    assert_fails(TYPE, buf_str(&form), "at most 64 parts");

    buf_init(&head, MIB);
    buf_add_lit(&head, "--X\r\n" DISPOSITION "name=x\r\n");
    while (head.n < MULTIPART_HEADER_BYTES_MAX + 100)
        buf_add_lit(&head, "X-More: of it\r\n");
    buf_add_lit(&head, "\r\nv\r\n--X--");
    assert_fails(TYPE, buf_str(&head), "more than 8192 bytes");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_as_curl_sends_it_is_read),
        cmocka_unit_test(boundaries_may_be_quoted_and_come_anywhere),
        cmocka_unit_test(bad_content_types_are_named),
        cmocka_unit_test(names_are_read_as_clients_write_them),
        cmocka_unit_test(broken_parts_are_named),
        cmocka_unit_test(broken_bodies_are_named),
        cmocka_unit_test(lines_that_begin_like_the_boundary_are_data),
        cmocka_unit_test(limits_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
