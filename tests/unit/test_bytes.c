/* The byte loops below the CSV parser: the form for machines without SSE2, which is compiled in
 * here under other names, against the one that this machine runs. */
#undef __SSE2__
#define bytes_find_stop portable_find_stop
#define bytes_find_eol portable_find_eol
#define bytes_survey portable_survey
#include "csv/bytes.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const char *built_find_stop(const char *p, const char *end,
                            char delimiter) __asm__("bytes_find_stop");
struct portable_survey built_survey(struct str s) __asm__("bytes_survey");

static uint64_t seed = 88172645463325252U;

static uint64_t
next_random(uint64_t below)
{
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (seed >> 33) % below;
}

/* Mostly letters; line ends, delimiters, NUL and high bytes in some texts. */
static struct str
random_text(char *out, size_t room)
{
    static const char BYTES[] = "\r\n\r\n;,\"'\0\x80\xff";
    uint64_t rarity = next_random(3) * 40 + 2;
    struct str s = {out, next_random(room)};
    for (size_t i = 0; i < s.n; i++)
        out[i] = next_random(rarity) ? 'x' : BYTES[next_random(sizeof(BYTES) - 1)];
    return s;
}

static void
both_forms_agree(void **state UNUSED)
{
    char text[300];
    for (int round = 0; round < 200000; round++) {
        struct str s = random_text(text, sizeof(text));
        assert_ptr_equal(portable_find_stop(s.p, s.p + s.n, ';'),
                         built_find_stop(s.p, s.p + s.n, ';'));
        struct portable_survey a = portable_survey(s), b = built_survey(s);
        assert_int_equal(a.line_ends, b.line_ends);
        assert_int_equal(a.has_nul, b.has_nul);
        assert_int_equal(a.is_ascii, b.is_ascii);
    }
}

static void
a_survey_counts_what_is_there(void **state UNUSED)
{
    struct portable_survey s = portable_survey(STR("a\r\nb\rc\n\n\r\r\n"));
    assert_int_equal(s.line_ends, 6);
    assert_true(s.is_ascii && !s.has_nul);
    assert_true(portable_survey(STR("\0")).has_nul);
    assert_false(portable_survey(STR("\xc3\xa4")).is_ascii);
    assert_int_equal(portable_survey(STR("")).line_ends, 0);
    struct str row = STR("ab,c\n");
    assert_ptr_equal(portable_find_stop(row.p, row.p + row.n, ','), row.p + 2);
    assert_ptr_equal(portable_find_eol(row.p, row.p + row.n), row.p + 4);
    assert_ptr_equal(portable_find_stop(row.p, row.p + 2, ','), row.p + 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_agree),
        cmocka_unit_test(a_survey_counts_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
