/* UTF-8 and case folding, over all of Unicode and against the table of RFC 3629. */
#include "base/utf8.h"
#include "dice.h"
#include "shared_data.h"

#include <string.h>

static void
assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_from(expected)))
        fail_msg("'%.*s' is not '%s'", (int)s.n, s.p, expected);
}

static void
every_code_point_round_trips(void **state UNUSED)
{
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        char text[4];
        size_t n = utf8_encode(c, text);
        if (utf8_sequence((struct str){text, n}) != n || utf8_decode(text, n) != c)
            fail_msg("U+%04X", c);
        for (size_t cut = 1; cut < n; cut++)
            if (utf8_sequence((struct str){text, cut}) != 0)
                fail_msg("U+%04X cut", c);
    }
}

/* All sequences of two and three bytes, and the edges of those of four, against the table of
 * RFC 3629 section 4. */
static size_t
sequence_by_table(const unsigned char *b, size_t n)
{
    static const unsigned char ROWS[][3] = {
        /* lead up to, second from, to */
        {0xe0, 0xa0, 0xbf}, {0xec, 0x80, 0xbf}, {0xed, 0x80, 0x9f}, {0xef, 0x80, 0xbf},
        {0xf0, 0x90, 0xbf}, {0xf3, 0x80, 0xbf}, {0xf4, 0x80, 0x8f}};
    if (b[0] < 0x80)
        return 1;
    if (b[0] >= 0xc2 && b[0] <= 0xdf)
        return n >= 2 && b[1] >> 6 == 2 ? 2 : 0;
    for (size_t i = 0; b[0] >= 0xe0 && i < COUNT_OF(ROWS); i++) {
        if (b[0] > ROWS[i][0])
            continue;
        size_t length = b[0] < 0xf0 ? 3 : 4;
        if (n < length || b[1] < ROWS[i][1] || b[1] > ROWS[i][2])
            return 0;
        bool ok = b[2] >> 6 == 2 && (length == 3 || b[3] >> 6 == 2);
        return ok ? length : 0;
    }
    return 0;
}

static void
sequences_are_those_of_the_rfc(void **state UNUSED)
{
    static const unsigned char EDGES[] = {0x00, 0x7f, 0x80, 0x8f, 0x90,
                                          0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            for (size_t i = 0; i < COUNT_OF(EDGES) * COUNT_OF(EDGES); i++) {
                unsigned char bytes[4] = {(unsigned char)a, (unsigned char)b,
                                          EDGES[i / COUNT_OF(EDGES)],
                                          EDGES[i % COUNT_OF(EDGES)]};
                struct str s = {(const char *)bytes, 2 + i % 3};
                if (utf8_sequence(s) != sequence_by_table(bytes, s.n))
                    fail_msg("%02x %02x %02x %02x of %zu", a, b, bytes[2], bytes[3], s.n);
            }
}

static void
an_invalid_byte_is_found_wherever_it_stands(void **state UNUSED)
{
    char text[200];
    for (size_t n = 1; n < sizeof(text); n += 3)
        for (size_t at = 0; at < n; at++) {
            memset(text, 'x', sizeof(text));
            text[at] = '\xff';
            assert_int_equal(utf8_valid_prefix((struct str){text, n}), at);
            assert_int_equal(utf8_valid_prefix((struct str){text, at}), at);
        }
    uint64_t sequences = 0;
    assert_int_equal(utf8_count_prefix(STR("a\xc3\xa4\xf0\x9f\x8e\xaez\xe2\x82"), &sequences),
                     8);
    assert_int_equal(sequences, 2);
    /* A run of pairs that ends in the middle of one, and in what only looks like one. */
    sequences = 0;
    assert_int_equal(utf8_count_prefix(STR("\xd0\xb6\xd1\x8f \xd0\xb6\xd1"), &sequences), 7);
    assert_int_equal(sequences, 3);
    sequences = 0;
    assert_int_equal(utf8_count_prefix(STR("\xd0\xb6\xc3\xa4\xc1\xa4"), &sequences), 4);
    assert_int_equal(sequences, 2);
    assert_int_equal(utf8_count_prefix((struct str){NULL, 0}, &sequences), 0);
}

static void
folding_is_idempotent_and_bounded(void **state UNUSED)
{
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        uint32_t folded = utf8_fold_code_point(c);
        if (utf8_fold_code_point(folded) != folded)
            fail_msg("U+%04X", c);
        char a[4], b[4];
        size_t n = utf8_encode(c, a), m = utf8_encode(folded, b);
        if (m > n + (n == 2))
            fail_msg("U+%04X grows from %zu to %zu bytes", c, n, m);
    }
}

static void
folding_keeps_accents_and_joins_cases(void **state UNUSED)
{
    scoped_buf b;
    buf_init(&b, KIB);
    utf8_fold(&b, STR("\xc3\x89T\xc3\xa9 STRASSE \xe1\xba\x9e \xce\xa3\xcf\x82 \xe2\x84\xaa"));
    assert_str(buf_str(&b), "\xc3\xa9t\xc3\xa9 strasse \xc3\x9f \xcf\x83\xcf\x83 k");
    assert_int_equal(utf8_fold_code_point(0x130), 0x130);
    assert_int_equal(utf8_fold_code_point(0x10400), 0x10428);
    buf_clear(&b);
    for (int i = 0; i < 40; i++)
        utf8_fold(&b, STR("\xc8\xba")); /* two bytes that fold to three */
    assert_int_equal(b.n, 120);
}

/* Runs of every kind, at every place in a register, against one code point at a time. */
static void
folding_a_text_is_folding_its_code_points(void **state UNUSED)
{
    static const uint32_t FIRST[] = {0x40,  0x80,  0x100,  0x140,  0x200,
                                     0x370, 0x400, 0x2c60, 0x3041, 0x10400};
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(200000); round++) {
        char text[200], expected[300], folded[300 + 4];
        size_t n = 0, expected_n = 0;
        while (n < sizeof(text) / 2) {
            uint32_t first = FIRST[dice_below(COUNT_OF(FIRST))];
            for (uint64_t rest = dice_below(12); rest; rest--) {
                uint32_t c = first + (uint32_t)dice_below(0x40);
                uint32_t wanted = utf8_fold_code_point(c);
                n += utf8_encode(c, text + n);
                expected_n += utf8_encode(wanted, expected + expected_n);
                dice_reach("folded", wanted != c);
                dice_reach("longer", wanted > 0x7ff && c <= 0x7ff);
                dice_reach("shorter", wanted <= 0x7ff && c > 0x7ff);
            }
            if (dice_below(16) == 0)
                break;
        }
        memset(folded, '#', sizeof(folded));
        assert_int_equal(utf8_fold_into(folded, (struct str){text, n}), expected_n);
        assert_memory_equal(folded, expected, expected_n);
        assert_int_equal(folded[n * 3 / 2 + 4], '#');
    }
    dice_end();
}

/* The corpus: lines of "name:valid:bytes" and "name:invalid:bytes". */
static void
the_corpus_of_utf8tests_is_judged_right(void **state UNUSED)
{
    scoped_buf file;
    shared_read(&file, "corpora/utf8tests/data/utf8tests.bin");
    struct str rest = buf_str(&file);
    size_t valid = 0, invalid = 0;
    while (rest.n) {
        struct str text = str_cut(&rest, '\n');
        struct str name = str_cut(&text, ':'), verdict = str_cut(&text, ':');
        bool is_valid = str_eq(verdict, STR("valid"));
        if (!is_valid && !str_eq(verdict, STR("invalid")))
            continue;
        if (utf8_is_valid(text) != is_valid)
            fail_msg("%.*s", (int)name.n, name.p);
        *(is_valid ? &valid : &invalid) += 1;
    }
    assert_true(valid >= 20 && invalid >= 50);
}

static void
every_code_point_without_marks_is_utf8(void **state UNUSED)
{
    scoped_arena a = {0};
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        char bytes[4];
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        struct str s = {bytes, utf8_encode(c, bytes)};
        assert_true(utf8_is_valid(utf8_without_marks(&a, s)));
        if (c % 4096 == 0)
            arena_reset(&a);
    }
    assert_true(str_eq(utf8_without_marks(&a, STR("Gr\xc3\xb6\xc3\x9f"
                                                  "e \xe2\x82\xac")),
                       STR("Grosse \xe2\x82\xac")));
    /* Eighteen code points of Arabic, the longest there is: nothing is cut. */
    assert_int_equal(utf8_without_marks(&a, STR("\xef\xb7\xba")).n, 33);
    assert_true(str_eq(utf8_without_marks(&a, STR("a\xff")), STR("a\xff")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_without_marks_is_utf8),
        cmocka_unit_test(every_code_point_round_trips),
        cmocka_unit_test(sequences_are_those_of_the_rfc),
        cmocka_unit_test(an_invalid_byte_is_found_wherever_it_stands),
        cmocka_unit_test(folding_is_idempotent_and_bounded),
        cmocka_unit_test(folding_keeps_accents_and_joins_cases),
        cmocka_unit_test(folding_a_text_is_folding_its_code_points),
        cmocka_unit_test(the_corpus_of_utf8tests_is_judged_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
