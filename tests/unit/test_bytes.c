/* The byte loops below the CSV parser: the form for machines without SSE2, which is compiled in
 * here under other names, against the one that this machine runs. */
#undef __SSE2__
#define bytes_find_stop portable_find_stop
#define bytes_find_eol portable_find_eol
#define bytes_survey portable_survey
#include "csv/bytes.c"
#include "dice.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const char *built_find_stop(const char *p, const char *end,
                            char delimiter) __asm__("bytes_find_stop");
struct portable_survey built_survey(struct str s) __asm__("bytes_survey");

/* Mostly letters; line ends, delimiters, NUL and high bytes in some texts. */
static struct str
random_text(char *out, size_t room)
{
    static const char BYTES[] = "\r\n\r\n;,\"'\0\x80\xff";
    uint64_t rarity = dice_below(3) * 40 + 2;
    struct str s = {out, dice_below(room)};
    for (size_t i = 0; i < s.n; i++)
        out[i] = dice_below(rarity) ? 'x' : BYTES[dice_below(sizeof(BYTES) - 1)];
    return s;
}

static void
both_forms_agree(void **state UNUSED)
{
    dice_begin(__func__);
    char text[300];
    for (size_t round = 0; round < dice_rounds(200000); round++) {
        struct str s = random_text(text, sizeof(text));
        assert_ptr_equal(portable_find_stop(s.p, s.p + s.n, ';'),
                         built_find_stop(s.p, s.p + s.n, ';'));
        dice_reach("empty", s.n == 0);
        dice_reach("blocks", s.n >= 64);
        struct portable_survey a = portable_survey(s), b = built_survey(s);
        assert_int_equal(a.line_ends, b.line_ends);
        assert_int_equal(a.has_nul, b.has_nul);
        assert_int_equal(a.is_ascii, b.is_ascii);
        dice_reach("no line end", a.line_ends == 0);
        dice_reach("line ends", a.line_ends > 0);
        dice_reach("NUL", a.has_nul);
        dice_reach("other bytes than ASCII", !a.is_ascii);
    }
    dice_end();
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
