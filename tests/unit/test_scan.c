/* The scan kernels against the obvious loop: over random columns of a small alphabet, where
 * hits are frequent, cross row boundaries and lie at every offset of a vector. */
#include "base/utf8.h"
#include "columns_file.h"
#include "dice.h"
#include "index/block.h"
#include "index/scan.h"
#include "index/scan_kernels.h"
#include "portable_again.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static struct str
random_text(struct arena *a, size_t character_count)
{
    static const char *const CHARACTERS[] = {"a", "b", "A", "ä", "Ä", "ж", "Ж", "€", "𐐨", "\0"};
    struct buf text = {.max = 4 * KIB};
    while (character_count--) {
        const char *c = CHARACTERS[dice_below(COUNT_OF(CHARACTERS))];
        buf_add(&text, *c ? str_from(c) : (struct str){"", 1});
    }
    struct str copy = arena_str(a, buf_str(&text));
    buf_free(&text);
    return copy;
}

static struct str
fold(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n * 3 / 2 + 4);
    return (struct str){out, utf8_fold_into(out, s)};
}

struct fixture {
    struct arena a;
    struct columns columns; /* text, list, integer, real */
    struct value (*rows)[4];
    uint64_t row_count;
};

static void
make_row(struct arena *a, struct value *v)
{
    v[0].text = random_text(a, dice_below(dice_below(10) ? 12 : 200));
    struct str *elements = arena_array(a, 3, struct str);
    v[1].elements = elements;
    v[1].element_count = dice_below(4);
    for (size_t i = 0; i < v[1].element_count; i++)
        elements[i] = random_text(a, dice_below(4));
    v[1].text = random_text(a, 3);
    v[2].i = dice_below(20) == 0 ? INT64_MIN : (int64_t)dice_below(100) - 50;
    v[2].is_null = dice_below(9) == 0;
    v[3].d = dice_below(9) == 0 ? -0.0 : ((double)dice_below(100) - 50) / 4;
    v[3].is_null = dice_below(9) == 0;
}

static void
make_fixture(struct fixture *f, uint64_t row_count)
{
    struct err err = {0};
    static const struct columns_spec SPECS[] = {
        {COLUMN_TEXT, MIB}, {COLUMN_LIST, MIB}, {COLUMN_INTEGER, 0}, {COLUMN_REAL, 0}};
    *f = (struct fixture){.row_count = row_count};
    f->rows = arena_alloc_array(&f->a, row_count, sizeof(*f->rows));
    for (uint64_t row = 0; row < row_count; row++)
        make_row(&f->a, f->rows[row]);
    scoped_fd fd = columns_file(SPECS, COUNT_OF(SPECS), f->rows[0], row_count);
    assert_true(columns_open(&f->a, &f->columns, fd, &err));
    assert_true(columns_verify(&f->columns, &err));
}

static void
free_fixture(struct fixture *f)
{
    columns_close(&f->columns);
    arena_free(&f->a);
}

static bool
matches(enum match match, struct str text, struct str needle)
{
    switch (match) {
    case MATCH_CONTAINS:
        return str_find(text, needle) >= 0;
    case MATCH_STARTS:
        return str_starts(text, needle);
    case MATCH_ENDS:
        return str_ends(text, needle);
    case MATCH_EQUALS:
        return str_eq(text, needle);
    }
    return false;
}

/* Few rows, and now and then more than a block of them. */
static uint64_t
some_rows(uint64_t round, uint64_t few)
{
    uint64_t count =
        round % 20 == 10 ? BLOCK_ROWS + dice_below(2 * BLOCK_ROWS) : dice_below(few);
    dice_reach("several blocks", count > BLOCK_ROWS);
    return count;
}

static void
text_scans_agree_with_the_obvious_loop(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (uint64_t round = 0; round < dice_rounds(120); round++) {
        struct fixture f;
        /* Of so few rows the needle can be all there is. */
        make_fixture(&f, some_rows(round, round % 3 ? 300 : 3));
        struct str needle = fold(&f.a, random_text(&f.a, dice_below(round % 3 ? 4 : 14)));
        if (f.row_count && round % 4 == 0)
            needle = column_text(&f.columns.columns[0], dice_below(f.row_count));
        for (enum match match = MATCH_CONTAINS; match <= MATCH_EQUALS; match++) {
            struct bitmap out = bitmap_new(&f.a, f.row_count);
            scan_text(&f.columns.columns[0], match, needle, &out);
            for (uint64_t row = 0; row < f.row_count; row++)
                assert_int_equal(bitmap_has(&out, row),
                                 matches(match, fold(&f.a, f.rows[row][0].text), needle));
            dice_reach("empty needle", needle.n == 0);
            dice_reach("no row", needle.n && bitmap_count(&out) == 0);
            dice_reach("contains", match == MATCH_CONTAINS && needle.n && bitmap_count(&out));
            dice_reach("starts", match == MATCH_STARTS && needle.n && bitmap_count(&out));
            dice_reach("ends", match == MATCH_ENDS && needle.n && bitmap_count(&out));
            dice_reach("equals", match == MATCH_EQUALS && needle.n && bitmap_count(&out));
        }
        for (enum match_order order = MATCH_LESS; order <= MATCH_GREATER_EQUAL; order++) {
            struct bitmap out = bitmap_new(&f.a, f.row_count);
            scan_text_order(&f.columns.columns[0], order, needle, &out);
            for (uint64_t row = 0; row < f.row_count; row++) {
                int c = str_cmp(fold(&f.a, f.rows[row][0].text), needle);
                bool wanted = order == MATCH_LESS         ? c < 0
                              : order == MATCH_LESS_EQUAL ? c <= 0
                              : order == MATCH_GREATER    ? c > 0
                                                          : c >= 0;
                assert_int_equal(bitmap_has(&out, row), wanted);
            }
        }
        free_fixture(&f);
    }
    dice_end();
}

static void
list_scans_match_any_element(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (uint64_t round = 0; round < dice_rounds(40); round++) {
        struct fixture f;
        make_fixture(&f, 1 + some_rows(round, 200));
        struct str needle = fold(&f.a, random_text(&f.a, dice_below(3)));
        for (enum match match = MATCH_CONTAINS; match <= MATCH_EQUALS; match++) {
            struct bitmap out = bitmap_new(&f.a, f.row_count);
            scan_list(&f.columns.columns[1], match, needle, &out);
            for (uint64_t row = 0; row < f.row_count; row++) {
                bool wanted = false;
                for (size_t i = 0; i < f.rows[row][1].element_count; i++)
                    wanted |= matches(match, fold(&f.a, f.rows[row][1].elements[i]), needle);
                assert_int_equal(bitmap_has(&out, row), wanted);
            }
            dice_reach("no row", bitmap_count(&out) == 0);
            dice_reach("some rows", bitmap_count(&out) > 0);
        }
        free_fixture(&f);
    }
    dice_end();
}

static void
number_scans_leave_nulls_and_open_bounds_out(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (uint64_t round = 0; round < dice_rounds(60); round++) {
        struct fixture f;
        make_fixture(&f, some_rows(round, 300));
        int64_t lo = round % 5 ? (int64_t)dice_below(100) - 60 : INT64_MIN;
        int64_t hi = round % 7 ? lo + (int64_t)dice_below(40) : INT64_MAX;
        double from = round % 5 ? (double)lo / 4 : -INFINITY;
        double to = round % 7 ? (double)hi / 4 : INFINITY;
        bool from_open = round & 1, to_open = round & 2;
        struct bitmap ints = bitmap_new(&f.a, f.row_count);
        struct bitmap reals = bitmap_new(&f.a, f.row_count);
        struct bitmap nulls = bitmap_new(&f.a, f.row_count);
        scan_nulls(&f.columns.columns[0], &nulls);
        assert_int_equal(bitmap_count(&nulls), 0);
        scan_nulls(&f.columns.columns[3], &nulls);
        scan_int_range(&f.columns.columns[2], lo, hi, &ints);
        scan_real_range(&f.columns.columns[3], from, from_open, to, to_open, &reals);
        for (uint64_t row = 0; row < f.row_count; row++) {
            const struct value *v = f.rows[row];
            assert_int_equal(bitmap_has(&ints, row),
                             !v[2].is_null && v[2].i >= lo && v[2].i <= hi);
            assert_int_equal(bitmap_has(&nulls, row), v[3].is_null);
            dice_reach("null", v[3].is_null);
            dice_reach("on a bound", v[3].d == from || v[3].d == to);
            bool is_from = from_open ? v[3].d > from : v[3].d >= from;
            bool is_to = to_open ? v[3].d < to : v[3].d <= to;
            assert_int_equal(bitmap_has(&reals, row), !v[3].is_null && is_from && is_to);
        }
        free_fixture(&f);
    }
    dice_end();
}

static const struct scan_kernels *
vector_kernels(void)
{
    const struct scan_kernels *kernels = scan_kernels_avx2();
    if (!kernels) {
        print_message("# skipped: this CPU has no AVX2\n");
        skip();
    }
    return kernels;
}

/* The last byte lies against memory that must not be read. */
static void
vector_search_agrees_with_the_portable_one(void **state)
{
    (void)state;
    dice_begin(__func__);
    const struct scan_kernels *avx2 = vector_kernels();
    size_t page = 4096;
    char *pages =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t round = 0; round < dice_rounds(20000); round++) {
        size_t n = dice_below(600), letters = 2 + dice_below(3);
        char *p = pages + page - n;
        for (size_t i = 0; i < n; i++)
            p[i] = (char)('a' + dice_below(letters));
        struct str haystack = {p, n};
        char bytes[40];
        size_t m = 1 + dice_below(round % 2 ? 5 : sizeof(bytes));
        for (size_t i = 0; i < m; i++)
            bytes[i] = (char)('a' + dice_below(letters));
        struct str needle = {bytes, m};
        if (round % 3 == 0 && n > m)
            needle.p = p + dice_below(n - m);
        struct scan_needle prepared = scan_needle_make(haystack, needle);
        size_t from = dice_below(n + 1);
        size_t at = SCAN_PORTABLE.find(haystack, from, &prepared);
        assert_true(avx2->find(haystack, from, &prepared) == at);
        dice_reach("found", at < n);
        dice_reach("not found", at >= n);
        dice_reach("one byte", m == 1);
        dice_reach("longer than a block", m > 32);
    }
    munmap(pages, 2 * page);
    dice_end();
}

static void
vector_ranges_agree_with_the_portable_ones(void **state)
{
    (void)state;
    dice_begin(__func__);
    const struct scan_kernels *avx2 = vector_kernels();
    for (size_t round = 0; round < dice_rounds(500); round++) {
        int64_t ints[300];
        double reals[300];
        uint64_t nulls[5], one[5] = {0}, other[5] = {0}, three[5] = {0}, four[5] = {0};
        uint64_t n = dice_below(300);
        for (size_t i = 0; i < n; i++) {
            ints[i] = dice_below(2) ? (int64_t)dice_u64() : (int64_t)dice_below(9) - 4;
            reals[i] = (double)ints[i];
        }
        for (size_t i = 0; i < COUNT_OF(nulls); i++)
            nulls[i] = dice_below(UINT64_MAX);
        const uint64_t *absent = round % 2 ? nulls : NULL;
        int64_t lo = n ? ints[dice_below(n)] : 0, hi = n ? ints[dice_below(n)] : 0;
        avx2->int_range(ints, absent, n, lo, hi, one);
        SCAN_PORTABLE.int_range(ints, absent, n, lo, hi, other);
        assert_memory_equal(one, other, sizeof(one));
        avx2->real_range(reals, absent, n, (double)lo, (double)hi, three);
        SCAN_PORTABLE.real_range(reals, absent, n, (double)lo, (double)hi, four);
        assert_memory_equal(three, four, sizeof(three));
        for (uint64_t row = 0; row < n; row++) {
            dice_reach("inside", ints[row] >= lo && ints[row] <= hi);
            dice_reach("outside", ints[row] < lo || ints[row] > hi);
            dice_reach("null", absent && nulls[row / 64] >> row % 64 & 1);
        }
    }
    dice_end();
}

/* Three groups of triples: (blank or any, x, y) and so on, over few bytes, so that all of it
 * occurs. */
static void
triples_are_found_where_they_begin(void **state)
{
    static const int BYTES[] = {0, 'a', 'b', 'p', '0', 0x80, 0xe2, 0xff};
    (void)state;
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(300); round++) {
        struct scan_triples t = {0};
        int sets[9][3];
        size_t count = dice_below(9);
        unsigned groups[9];
        for (size_t i = 0; i < count; i++) {
            groups[i] = (unsigned)dice_below(SCAN_TRIPLE_GROUPS);
            for (size_t k = 0; k < 3; k++)
                sets[i][k] = BYTES[dice_below(COUNT_OF(BYTES))];
            if (dice_below(4) == 0)
                sets[i][0] = SCAN_ANY_BYTE;
            scan_triples_add(&t, groups[i], sets[i]);
        }
        uint8_t text[192 + SCAN_TRIPLES_AHEAD];
        uint64_t n = 1 + dice_below(192), one[3] = {0}, other[3] = {0};
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (uint8_t)BYTES[dice_below(COUNT_OF(BYTES))];
        scan_triples(&t, text, n, one);
        SCAN_PORTABLE.triples(&t, text, n, other);
        assert_memory_equal(one, other, sizeof(one));
        for (size_t at = 0; at < n; at++) {
            bool is_one = false, may_be_one = false;
            for (size_t i = 0; i < count; i++)
                is_one |= (sets[i][0] == SCAN_ANY_BYTE || sets[i][0] == text[at]) &&
                          sets[i][1] == text[at + 1] && sets[i][2] == text[at + 2];
            for (unsigned g = 0; g < SCAN_TRIPLE_GROUPS; g++)
                may_be_one |= t.may_be[0][text[at]] & t.may_be[1][text[at + 1]] &
                              t.may_be[2][text[at + 2]] & 1U << g;
            bool is_found = one[at / 64] >> at % 64 & 1;
            assert_true(is_found == may_be_one && (is_found || !is_one));
            dice_reach("found", is_one);
            dice_reach("taken for one", is_found && !is_one);
        }
    }
    dice_end();
}

int
main(int argc UNUSED, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_scans_agree_with_the_obvious_loop),
        cmocka_unit_test(list_scans_match_any_element),
        cmocka_unit_test(number_scans_leave_nulls_and_open_bounds_out),
        cmocka_unit_test(vector_search_agrees_with_the_portable_one),
        cmocka_unit_test(vector_ranges_agree_with_the_portable_ones),
        cmocka_unit_test(triples_are_found_where_they_begin),
    };
    return portable_again(cmocka_run_group_tests(tests, NULL, NULL), argv);
}
