/* The trigrams file: what it leaves of a search is what the scan finds and what a plain look at
 * every text finds, whatever the needle; and a damaged file is refused or leads to a scan,
 * never out of the map. */
#include "columns_file.h"
#include "dice.h"
#include "portable_again.h"

#include "base/utf8.h"
#include "index/scan.h"
#include "index/trigrams.h"

#include <stdatomic.h>
#include <string.h>

/* A columns file of one text column, and its trigrams. */
struct indexed {
    struct arena arena;
    struct columns columns;
    struct trigrams trigrams;
    int columns_fd, trigrams_fd;
};

static void
build(struct indexed *x, const struct str *texts, uint64_t row_count)
{
    struct err err = {0};
    uint64_t bytes = 64;
    *x = (struct indexed){.trigrams_fd = memory_file(STR(""))};
    struct value(*rows)[2] = arena_alloc_array(&x->arena, row_count, sizeof(*rows));
    for (uint64_t row = 0; row < row_count; row++) {
        bytes += texts[row].n * 3 / 2 + 1;
        rows[row][0] = (struct value){.i = (int64_t)row};
        rows[row][1] = (struct value){.text = texts[row]};
    }
    struct columns_spec specs[] = {{COLUMN_INTEGER, 0}, {COLUMN_TEXT, bytes}};
    x->columns_fd = columns_file(specs, COUNT_OF(specs), rows[0], row_count);
    assert_true(columns_open(&x->arena, &x->columns, x->columns_fd, &err));
    if (!trigrams_build(x->trigrams_fd, &x->columns, 0, NULL, &err) ||
        !trigrams_open(&x->arena, &x->trigrams, x->trigrams_fd, &x->columns, &err) ||
        !trigrams_verify(&x->trigrams, &err))
        fail_msg("%s", err.detail);
}

static void
end(struct indexed *x)
{
    trigrams_close(&x->trigrams);
    columns_close(&x->columns);
    fs_close(&x->columns_fd);
    fs_close(&x->trigrams_fd);
    arena_free(&x->arena);
}

static bool
fits(struct str text, enum match match, struct str needle)
{
    if (match == MATCH_STARTS)
        return text.n >= needle.n && memcmp(text.p, needle.p, needle.n) == 0;
    if (match == MATCH_ENDS)
        return text.n >= needle.n &&
               memcmp(text.p + text.n - needle.n, needle.p, needle.n) == 0;
    return memmem(text.p, text.n, needle.p, needle.n) != NULL;
}

/* The three answers, among the rows of `among`. */
static void
compare(struct indexed *x, enum match match, struct str needle, const struct bitmap *among)
{
    scoped_arena a = {0};
    const struct column *c = &x->columns.columns[1];
    const struct trigrams_column *t = trigrams_find(&x->trigrams, 1);
    struct bitmap left = bitmap_new(&a, c->row_count), found = bitmap_new(&a, c->row_count);
    struct bitmap scanned = bitmap_new(&a, c->row_count);
    assert_non_null(t);
    bitmap_or(&left, among);
    assert_true(trigrams_narrow(t, needle, &left));
    scan_text_rows(c, match, needle, &left, &found);
    scan_text(c, match, needle, &scanned);
    for (uint64_t row = 0; row < c->row_count; row++) {
        bool is_hit = fits(column_text(c, row), match, needle);
        assert_int_equal(bitmap_has(&scanned, row), is_hit);
        assert_int_equal(bitmap_has(&found, row), is_hit && bitmap_has(among, row));
        if (needle.n == TRIGRAM_BYTES && match == MATCH_CONTAINS)
            assert_int_equal(bitmap_has(&left, row), bitmap_has(&found, row));
    }
    dice_reach("among all rows", bitmap_count(among) == c->row_count);
    dice_reach("among few", bitmap_count(among) < c->row_count / 8);
    dice_reach("no row", bitmap_count(&scanned) == 0);
    dice_reach("the index alone", needle.n == TRIGRAM_BYTES && match == MATCH_CONTAINS);
    dice_reach("looked at and dropped", bitmap_count(&found) < bitmap_count(&left));
    dice_reach("contains", match == MATCH_CONTAINS && bitmap_count(&found) > 0);
    dice_reach("starts", match == MATCH_STARTS && bitmap_count(&found) > 0);
    dice_reach("ends", match == MATCH_ENDS && bitmap_count(&found) > 0);
}

/* Any bytes of some text, so that needles begin and end inside characters and words; changed
 * now and then, so that they do not occur. */
static struct str
make_needle(struct arena *a, const struct column *c)
{
    struct str text = column_texts(c, 0, c->row_count);
    size_t n = TRIGRAM_BYTES + dice_below(dice_below(4) ? 12 : 200);
    assert_true(text.n > n);
    size_t from = dice_below(text.n - n);
    struct str needle = arena_str(a, str_slice(text, from, from + n));
    if (dice_below(5) == 0)
        ((char *)needle.p)[dice_below(n)] ^= (char)(1 + dice_below(255));
    return needle;
}

static void
compare_many(struct indexed *x, size_t rounds)
{
    const struct column *c = &x->columns.columns[1];
    for (size_t round = 0; round < dice_rounds(rounds); round++) {
        scoped_arena a = {0};
        struct bitmap among = bitmap_new_full(&a, c->row_count);
        uint64_t share = dice_below(4);
        for (uint64_t row = 0; share && row < c->row_count; row++)
            if (dice_below(share * share * share) != 0)
                among.words[row / 64] &= ~(UINT64_C(1) << row % 64);
        compare(x, (enum match)dice_below(MATCH_ENDS + 1), make_needle(&a, c), &among);
    }
}

static const char *const WORDS[] = {
    "dragon", "Dragons", "the",  "The",          "a",      "of",     "é",
    "É",      "straße",  "Ⱥ",    "日本",         "日本語", "Кот",    "кота",
    "100%",   "_x",      "x\ny", "\xe2\x84\xaa", "aaaa",   "aaaaaaa"};

static struct str
make_text(struct arena *a, uint64_t words)
{
    scoped_buf text = {.max = MIB};
    for (uint64_t i = 0; i < words; i++) {
        if (dice_below(3))
            buf_add_char(&text, ' ');
        if (dice_below(200) == 0) /* any character at all */
            buf_printf(&text, "%c%c", (char)(0xc4 + dice_below(20)),
                       (char)(0x80 + dice_below(64)));
        buf_add(&text, str_from(WORDS[dice_below(COUNT_OF(WORDS))]));
    }
    return arena_str(a, buf_str(&text));
}

static void
index_scan_and_a_plain_look_agree(void **state)
{
    (void)state;
    dice_begin(__func__);
    static const uint64_t COUNTS[] = {20, 63, 64, 65, 1000, 3000};
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        scoped_arena a = {0};
        struct indexed x;
        struct str *texts = arena_array(&a, COUNTS[i], struct str);
        uint64_t words = i % 2 ? 3 : 40;
        for (uint64_t row = 0; row < COUNTS[i]; row++)
            texts[row] = make_text(&a, dice_below(words) + (row == 0) * 80);
        build(&x, texts, COUNTS[i]);
        compare_many(&x, 400);
        end(&x);
    }
    dice_end();
}

/* Rows beyond one segment, with lists of every length: gaps of one, two and three bytes and
 * bitmaps. */
static void
many_rows_make_several_segments(void **state)
{
    (void)state;
    enum { ROWS = 150001 };
    scoped_arena a = {0};
    struct indexed x;
    struct str *texts = arena_array(&a, ROWS, struct str);
    static const uint64_t STEPS[] = {1, 2, 7, 8, 9, 100, 129, 1000, 16000, 17000, 60000};
    for (uint64_t row = 0; row < ROWS; row++) {
        scoped_buf text = {.max = KIB};
        for (size_t i = 0; i < COUNT_OF(STEPS); i++)
            if (row % STEPS[i] == 0)
                buf_printf(&text, "%c%c%c|", (int)('a' + i), (int)('a' + i), (int)('a' + i));
        texts[row] = arena_str(&a, buf_str(&text));
    }
    build(&x, texts, ROWS);
    assert_true(trigrams_find(&x.trigrams, 1)->segment_count > 2);
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        struct bitmap left = bitmap_new_full(&a, ROWS);
        struct str needle =
            arena_printf(&a, "%c%c%c", (int)('a' + i), (int)('a' + i), (int)('a' + i));
        assert_true(trigrams_narrow(trigrams_find(&x.trigrams, 1), needle, &left));
        assert_int_equal(bitmap_count(&left), (ROWS - 1) / STEPS[i] + 1);
        for (uint64_t row = 0; row < ROWS; row += STEPS[i])
            assert_true(bitmap_has(&left, row));
    }
    compare_many(&x, 30);
    end(&x);
}

static void
texts_of_many_megabytes_make_segments_of_their_own(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct indexed x;
    struct str texts[200];
    for (size_t row = 0; row < COUNT_OF(texts); row++)
        texts[row] = make_text(&a, row % 70 == 5 ? 150000 : dice_below(30));
    build(&x, texts, COUNT_OF(texts));
    compare_many(&x, 60);
    end(&x);
}

static void
short_columns_are_left_to_the_scan(void **state)
{
    (void)state;
    struct err err = {0};
    struct indexed x;
    struct str texts[] = {STR("some text"), STR("ab"), STR("")};
    build(&x, texts, COUNT_OF(texts));
    assert_true(trigrams_are_wanted(&x.columns, 11));
    assert_false(trigrams_are_wanted(&x.columns, 12));
    assert_null(trigrams_find(&x.trigrams, 0));
    scoped_fd fd = memory_file(STR(""));
    struct trigrams none;
    assert_true(trigrams_build(fd, &x.columns, 12, NULL, &err));
    assert_true(trigrams_open(&x.arena, &none, fd, &x.columns, &err));
    assert_int_equal(none.column_count, 0);
    trigrams_close(&none);
    end(&x);
}

static void
a_build_that_is_not_wanted_any_more_stops(void **state)
{
    (void)state;
    struct err err = {0};
    struct indexed x;
    struct str texts[] = {STR("some text")};
    _Atomic bool is_unwanted = true;
    build(&x, texts, COUNT_OF(texts));
    scoped_fd fd = memory_file(STR(""));
    assert_false(trigrams_build(fd, &x.columns, 0, &is_unwanted, &err));
    assert_string_equal(err_code(&err), "cancelled");
    end(&x);
}

static void
the_file_of_another_version_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct indexed x, y, z;
    struct str texts[] = {STR("some text"), STR("other text")};
    struct str longer[] = {STR("some text"), STR("other texts")};
    struct trigrams t;
    build(&x, texts, 2);
    build(&y, texts, 1);
    build(&z, longer, 2);
    assert_false(trigrams_open(&x.arena, &t, x.trigrams_fd, &y.columns, &err));
    assert_string_equal(err_code(&err), "index_damaged");
    assert_false(trigrams_open(&x.arena, &t, x.trigrams_fd, &z.columns, &err));
    assert_string_equal(err_code(&err), "index_damaged");
    assert_false(trigrams_open(&x.arena, &t, x.columns_fd, &x.columns, &err));
    end(&x);
    end(&y);
    end(&z);
}

/* ---- damage ---- */

static bool
is_whole(struct indexed *x)
{
    struct err err = {0};
    struct trigrams t;
    scoped_arena a = {0};
    if (!trigrams_open(&a, &t, x->trigrams_fd, &x->columns, &err)) {
        assert_string_equal(err_code(&err), "index_damaged");
        return false;
    }
    /* Whatever is in it, a search stays inside; what it answers then is not asked. */
    struct bitmap left = bitmap_new_full(&a, x->columns.row_count);
    for (size_t i = 0; i < t.column_count; i++)
        (void)!trigrams_narrow(&t.columns[i], STR("dragon"), &left);
    bool ok = trigrams_verify(&t, &err);
    trigrams_close(&t);
    return ok;
}

/* Between sections there are holes, whose bytes nobody reads. */
static bool
is_in_use(struct indexed *x, size_t at)
{
    return at < 64 || at >= 4096 || x->trigrams.map.bytes.p[at];
}

static void
every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct indexed x;
    struct str texts[70];
    for (size_t row = 0; row < COUNT_OF(texts); row++)
        texts[row] = make_text(&a, dice_below(6));
    build(&x, texts, COUNT_OF(texts));
    size_t bytes = x.trigrams.map.bytes.n, unnoticed = 0;
    struct str before = arena_str(&a, x.trigrams.map.bytes);
    for (size_t at = 0; at < bytes; at++) {
        if (!is_in_use(&x, at))
            continue;
        char flipped = (char)(before.p[at] ^ (1 << at % 8));
        assert_int_equal(pwrite(x.trigrams_fd, &flipped, 1, (off_t)at), 1);
        unnoticed += is_whole(&x);
        assert_int_equal(pwrite(x.trigrams_fd, before.p + at, 1, (off_t)at), 1);
    }
    /* Padding between two sections: less than one alignment each. */
    assert_true(unnoticed < 2 * 64);
    assert_true(is_whole(&x));
    end(&x);
}

static void
a_file_cut_short_is_refused(void **state)
{
    (void)state;
    struct indexed x;
    struct str texts[] = {STR("a dragon"), STR("two dragons")};
    build(&x, texts, COUNT_OF(texts));
    size_t bytes = x.trigrams.map.bytes.n;
    for (size_t n = bytes; n-- > 0;) {
        assert_int_equal(ftruncate(x.trigrams_fd, (off_t)n), 0);
        if (n == 0)
            break;
        assert_false(is_whole(&x));
    }
    end(&x);
}

int
main(int argc UNUSED, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_scan_and_a_plain_look_agree),
        cmocka_unit_test(many_rows_make_several_segments),
        cmocka_unit_test(texts_of_many_megabytes_make_segments_of_their_own),
        cmocka_unit_test(short_columns_are_left_to_the_scan),
        cmocka_unit_test(a_build_that_is_not_wanted_any_more_stops),
        cmocka_unit_test(the_file_of_another_version_is_refused),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(a_file_cut_short_is_refused),
    };
    return portable_again(cmocka_run_group_tests(tests, NULL, NULL), argv);
}
