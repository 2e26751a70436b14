/* Structs as bytes: what is written is read again, byte for byte as drawn, and nothing else is
 * read at all. */
#include "temp_dir.h"
#include "writer/codec.h"

#include <string.h>

struct point {
    int64_t x;
    enum { RED, GREEN } colour;
};
struct shape {
    struct str name;
    bool is_open;
    uint64_t bytes;
    char code[4];
    int not_sent;
    struct point *points;
    size_t point_count;
};
static const struct codec POINT =
    CODEC(struct point, CODEC_FIELD(struct point, x), CODEC_FIELD(struct point, colour));
static const struct codec SHAPE =
    CODEC(struct shape, CODEC_FIELD(struct shape, name), CODEC_FIELD(struct shape, is_open),
          CODEC_FIELD(struct shape, bytes), CODEC_FIELD(struct shape, code),
          CODEC_FIELD_LIST(struct shape, points, point_count, 2, &POINT));

/* In the order of the table. */
#define NAME "\3\0\0\0a\0b"
#define OPEN "\1\0\0\0\0\0\0\0"
#define BYTES "\xff\xff\xff\xff\xff\xff\xff\xff"
#define CODE "\3\0\0\0xyz"
#define COUNT(n) n "\0\0\0\0\0\0\0"
#define LEFT "\xfe\xff\xff\xff\xff\xff\xff\xff" COUNT("\0")
#define RIGHT COUNT("\7") COUNT("\1")

static void
members_are_sent_in_the_order_of_the_table(void **state UNUSED)
{
    scoped_arena a = {0};
    scoped_buf b;
    struct err err = {0};
    struct str drawn = STR(NAME OPEN BYTES CODE COUNT("\2") LEFT RIGHT);
    struct point points[] = {{-2, RED}, {7, GREEN}};
    struct shape shape = {STR("a\0b"), true, UINT64_MAX, "xyz", 5, points, COUNT_OF(points)};
    buf_init(&b, KIB);
    codec_add(&b, &SHAPE, &shape);
    assert_int_equal(b.n, drawn.n);
    assert_memory_equal(b.p, drawn.p, drawn.n);
    const struct shape *again = codec_read(&a, &SHAPE, buf_str(&b), &err);
    assert_non_null(again);
    assert_true(str_eq(again->name, shape.name) && again->name.p == b.p + 4);
    assert_true(again->is_open && again->bytes == UINT64_MAX);
    assert_string_equal(again->code, "xyz");
    assert_int_equal(again->not_sent, 0);
    assert_int_equal(again->point_count, 2);
    assert_int_equal(again->points[0].x, -2);
    assert_int_equal(again->points[1].colour, GREEN);
}

static void
assert_refused(struct str bytes, const char *why)
{
    scoped_arena a = {0};
    struct err err = {0};
    assert_null(codec_read(&a, &SHAPE, bytes, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_non_null(strstr(err.detail, why));
}

static void
every_byte_short_or_too_many_is_refused(void **state UNUSED)
{
    struct str whole = STR(NAME OPEN BYTES CODE COUNT("\2") LEFT RIGHT "!");
    for (size_t n = 0; n < whole.n - 1; n++) {
        /* A copy of its own: a byte read behind it is seen. */
        char *copy = malloc(n + 1);
        assert_non_null(copy);
        memcpy(copy, whole.p, n);
        assert_refused((struct str){copy, n}, "cut short");
        free(copy);
    }
    assert_refused(whole, "1 bytes too many");
}

static void
a_value_that_does_not_fit_its_member_is_refused(void **state UNUSED)
{
    static const char WHY[] = "out of bounds";
    assert_refused(STR(NAME COUNT("\2") BYTES CODE COUNT("\0")), WHY);
    assert_refused(STR(NAME OPEN BYTES "\4\0\0\0wxyz" COUNT("\0")), WHY);
    assert_refused(STR(NAME OPEN BYTES "\3\0\0\0x\0z" COUNT("\0")), WHY);
    assert_refused(STR(NAME OPEN BYTES CODE COUNT("\1") COUNT("\7") BYTES), WHY);
    assert_refused(STR(NAME OPEN BYTES "\xff\xff\xff\xffxyz" COUNT("\0")), WHY);
}

/* Before memory is taken for them. */
static void
more_elements_than_a_list_may_have_are_refused(void **state UNUSED)
{
    assert_refused(STR(NAME OPEN BYTES CODE COUNT("\3") RIGHT RIGHT RIGHT), "out of bounds");
    assert_refused(STR(NAME OPEN BYTES CODE BYTES), "out of bounds");
}

static void
without_a_table_there_are_no_bytes(void **state UNUSED)
{
    scoped_arena a = {0};
    scoped_buf b;
    struct err err = {0};
    buf_init(&b, KIB);
    codec_add(&b, NULL, NULL);
    assert_int_equal(b.n, 0);
    assert_non_null(codec_read(&a, NULL, STR(""), &err));
    assert_null(codec_read(&a, NULL, STR("x"), &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_sent_in_the_order_of_the_table),
        cmocka_unit_test(every_byte_short_or_too_many_is_refused),
        cmocka_unit_test(a_value_that_does_not_fit_its_member_is_refused),
        cmocka_unit_test(more_elements_than_a_list_may_have_are_refused),
        cmocka_unit_test(without_a_table_there_are_no_bytes),
    };
    return cmocka_run_group_tests_name("codec", tests, NULL, NULL);
}
