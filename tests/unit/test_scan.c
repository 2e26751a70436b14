/* The scan kernels against the obvious loop: over random columns of a small alphabet, where
 * hits are frequent, cross row boundaries and lie at every offset of a vector. */
#include "base/hash.h"
#include "base/utf8.h"
#include "index/scan.h"
#include "index/scan_kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t random_state = 42;

static uint64_t
next_random(uint64_t below)
{
    random_state = hash_u64(random_state, 7);
    return random_state % below;
}

static struct str
random_text(struct arena *a, size_t character_count)
{
    static const char *const CHARACTERS[] = {"a", "b", "A", "ä", "Ä", "ж", "Ж", "€", "𐐨", "\0"};
    struct buf text = {.max = 4 * KIB};
    while (character_count--) {
        const char *c = CHARACTERS[next_random(COUNT_OF(CHARACTERS))];
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
    v[0].text = random_text(a, next_random(next_random(10) ? 12 : 200));
    struct str *elements = arena_array(a, 3, struct str);
    v[1].elements = elements;
    v[1].element_count = next_random(4);
    for (size_t i = 0; i < v[1].element_count; i++)
        elements[i] = random_text(a, next_random(4));
    v[1].text = random_text(a, 3);
    v[2].i = next_random(20) == 0 ? INT64_MIN : (int64_t)next_random(100) - 50;
    v[2].is_null = next_random(9) == 0;
    v[3].d = next_random(9) == 0 ? -0.0 : ((double)next_random(100) - 50) / 4;
    v[3].is_null = next_random(9) == 0;
}

static void
make_fixture(struct fixture *f, uint64_t row_count)
{
    struct err err = {0};
    static const struct columns_spec SPECS[] = {
        {COLUMN_TEXT, MIB}, {COLUMN_LIST, MIB}, {COLUMN_INTEGER, 0}, {COLUMN_REAL, 0}};
    *f = (struct fixture){.row_count = row_count};
    f->rows = arena_alloc_array(&f->a, row_count, sizeof(*f->rows));
    scoped_fd fd = memfd_create("columns", MFD_CLOEXEC);
    struct columns_builder *b =
        columns_build_begin(fd, SPECS, COUNT_OF(SPECS), row_count, &err);
    for (uint64_t row = 0; row < row_count; row++) {
        make_row(&f->a, f->rows[row]);
        assert_true(columns_build_add(b, f->rows[row], &err));
    }
    struct column_summary summaries[COUNT_OF(SPECS)];
    assert_true(columns_build_finish(&b, summaries, &err));
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
matches(enum scan_match match, struct str text, struct str needle)
{
    switch (match) {
    case SCAN_CONTAINS:
        return str_find(text, needle) >= 0;
    case SCAN_STARTS:
        return str_starts(text, needle);
    case SCAN_ENDS:
        return str_ends(text, needle);
    case SCAN_EQUALS:
        return str_eq(text, needle);
    }
    return false;
}

static void
text_scans_agree_with_the_obvious_loop(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 120; round++) {
        struct fixture f;
        /* Of so few rows the needle can be all there is. */
        make_fixture(&f, next_random(round % 3 ? 300 : 3));
        struct str needle = fold(&f.a, random_text(&f.a, next_random(round % 3 ? 4 : 14)));
        if (f.row_count && round % 4 == 0)
            needle = column_text(&f.columns.columns[0], next_random(f.row_count));
        for (enum scan_match match = SCAN_CONTAINS; match <= SCAN_EQUALS; match++) {
            struct bitmap out = bitmap_new(&f.a, f.row_count);
            scan_text(&f.columns.columns[0], match, needle, &out);
            for (uint64_t row = 0; row < f.row_count; row++)
                assert_int_equal(bitmap_has(&out, row),
                                 matches(match, fold(&f.a, f.rows[row][0].text), needle));
        }
        for (enum scan_order order = SCAN_LESS; order <= SCAN_GREATER_EQUAL; order++) {
            struct bitmap out = bitmap_new(&f.a, f.row_count);
            scan_text_order(&f.columns.columns[0], order, needle, &out);
            for (uint64_t row = 0; row < f.row_count; row++) {
                int c = str_cmp(fold(&f.a, f.rows[row][0].text), needle);
                bool wanted = order == SCAN_LESS         ? c < 0
                              : order == SCAN_LESS_EQUAL ? c <= 0
                              : order == SCAN_GREATER    ? c > 0
                                                         : c >= 0;
                assert_int_equal(bitmap_has(&out, row), wanted);
            }
        }
        free_fixture(&f);
    }
}

static void
list_scans_match_any_element(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 40; round++) {
        struct fixture f;
        make_fixture(&f, 1 + next_random(200));
        struct str needle = fold(&f.a, random_text(&f.a, next_random(3)));
        for (enum scan_match match = SCAN_CONTAINS; match <= SCAN_EQUALS; match++) {
            struct bitmap out = bitmap_new(&f.a, f.row_count);
            scan_list(&f.columns.columns[1], match, needle, &out);
            for (uint64_t row = 0; row < f.row_count; row++) {
                bool wanted = false;
                for (size_t i = 0; i < f.rows[row][1].element_count; i++)
                    wanted |= matches(match, fold(&f.a, f.rows[row][1].elements[i]), needle);
                assert_int_equal(bitmap_has(&out, row), wanted);
            }
        }
        free_fixture(&f);
    }
}

static void
number_scans_leave_nulls_and_open_bounds_out(void **state)
{
    (void)state;
    for (uint64_t round = 0; round < 60; round++) {
        struct fixture f;
        make_fixture(&f, next_random(300));
        int64_t lo = round % 5 ? (int64_t)next_random(100) - 60 : INT64_MIN;
        int64_t hi = round % 7 ? lo + (int64_t)next_random(40) : INT64_MAX;
        double from = round % 5 ? (double)lo / 4 : -INFINITY;
        double to = round % 7 ? (double)hi / 4 : INFINITY;
        bool from_open = round & 1, to_open = round & 2;
        struct bitmap ints = bitmap_new(&f.a, f.row_count);
        struct bitmap reals = bitmap_new(&f.a, f.row_count);
        scan_int_range(&f.columns.columns[2], lo, hi, &ints);
        scan_real_range(&f.columns.columns[3], from, from_open, to, to_open, &reals);
        for (uint64_t row = 0; row < f.row_count; row++) {
            const struct value *v = f.rows[row];
            assert_int_equal(bitmap_has(&ints, row),
                             !v[2].is_null && v[2].i >= lo && v[2].i <= hi);
            bool is_from = from_open ? v[3].d > from : v[3].d >= from;
            bool is_to = to_open ? v[3].d < to : v[3].d <= to;
            assert_int_equal(bitmap_has(&reals, row), !v[3].is_null && is_from && is_to);
        }
        free_fixture(&f);
    }
}

/* The last byte lies against memory that must not be read. */
static void
vector_search_agrees_with_the_portable_one(void **state)
{
    (void)state;
    const struct scan_kernels *avx2 = scan_kernels_avx2();
    if (!avx2) {
        print_message("skipped: this CPU has no AVX2\n");
        return;
    }
    size_t page = 4096;
    char *pages =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    for (int round = 0; round < 20000; round++) {
        size_t n = next_random(600), letters = 2 + next_random(3);
        char *p = pages + page - n;
        for (size_t i = 0; i < n; i++)
            p[i] = (char)('a' + next_random(letters));
        struct str haystack = {p, n};
        char bytes[40];
        size_t m = 1 + next_random(round % 2 ? 5 : sizeof(bytes));
        for (size_t i = 0; i < m; i++)
            bytes[i] = (char)('a' + next_random(letters));
        struct str needle = {bytes, m};
        if (round % 3 == 0 && n > m)
            needle.p = p + next_random(n - m);
        struct scan_needle prepared = scan_needle_make(haystack, needle);
        size_t from = next_random(n + 1);
        assert_true(avx2->find(haystack, from, &prepared) ==
                    SCAN_PORTABLE.find(haystack, from, &prepared));
    }
    munmap(pages, 2 * page);
}

static void
vector_ranges_agree_with_the_portable_ones(void **state)
{
    (void)state;
    const struct scan_kernels *avx2 = scan_kernels_avx2();
    if (!avx2) {
        print_message("skipped: this CPU has no AVX2\n");
        return;
    }
    for (int round = 0; round < 500; round++) {
        int64_t ints[300];
        double reals[300];
        uint64_t nulls[5], one[5] = {0}, other[5] = {0}, three[5] = {0}, four[5] = {0};
        uint64_t n = next_random(300);
        for (size_t i = 0; i < n; i++) {
            ints[i] = (int64_t)(next_random(2) ? next_random(UINT64_MAX) : next_random(9));
            reals[i] = (double)ints[i];
        }
        for (size_t i = 0; i < COUNT_OF(nulls); i++)
            nulls[i] = next_random(UINT64_MAX);
        const uint64_t *absent = round % 2 ? nulls : NULL;
        int64_t lo = n ? ints[next_random(n)] : 0, hi = n ? ints[next_random(n)] : 0;
        avx2->int_range(ints, absent, n, lo, hi, one);
        SCAN_PORTABLE.int_range(ints, absent, n, lo, hi, other);
        assert_memory_equal(one, other, sizeof(one));
        avx2->real_range(reals, absent, n, (double)lo, (double)hi, three);
        SCAN_PORTABLE.real_range(reals, absent, n, (double)lo, (double)hi, four);
        assert_memory_equal(three, four, sizeof(three));
    }
}

/* Three groups of triples: (blank or any, x, y) and so on, over few bytes, so that all of it
 * occurs. */
static void
triples_are_found_where_they_begin(void **state)
{
    static const int BYTES[] = {0, 'a', 'b', 'p', '0', 0x80, 0xe2, 0xff};
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct scan_triples t = {0};
        int sets[9][3];
        size_t count = next_random(9);
        unsigned groups[9];
        for (size_t i = 0; i < count; i++) {
            groups[i] = (unsigned)next_random(SCAN_TRIPLE_GROUPS);
            for (size_t k = 0; k < 3; k++)
                sets[i][k] = BYTES[next_random(COUNT_OF(BYTES))];
            if (next_random(4) == 0)
                sets[i][0] = SCAN_ANY_BYTE;
            scan_triples_add(&t, groups[i], sets[i]);
        }
        uint8_t text[192 + SCAN_TRIPLES_AHEAD];
        uint64_t n = 1 + next_random(192), one[3] = {0}, other[3] = {0};
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (uint8_t)BYTES[next_random(COUNT_OF(BYTES))];
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
        }
    }
}

int
main(int argc, char **argv)
{
    (void)argc;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_scans_agree_with_the_obvious_loop),
        cmocka_unit_test(list_scans_match_any_element),
        cmocka_unit_test(number_scans_leave_nulls_and_open_bounds_out),
        cmocka_unit_test(vector_search_agrees_with_the_portable_one),
        cmocka_unit_test(vector_ranges_agree_with_the_portable_ones),
        cmocka_unit_test(triples_are_found_where_they_begin),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    /* Kernels are chosen once per process, so the portable ones get a process of their own. */
    if (failed || getenv("PLAYMETER_PORTABLE"))
        return failed;
    setenv("PLAYMETER_PORTABLE", "1", 1);
    execv("/proc/self/exe", argv);
    return 1;
}
