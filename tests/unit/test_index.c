/* The columns file from builder to reader, bitmaps, and what a damaged file may do. */
#include "base/num.h"
#include "base/utf8.h"
#include "dice.h"
#include "index/block.h"
#include "memory_file.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const enum column_type TYPES[] = {COLUMN_INTEGER, COLUMN_REAL, COLUMN_TEXT, COLUMN_LIST,
                                         COLUMN_DATE};

/* A row whose cells are a function of its number. */
static void
make_row(struct arena *a, uint64_t row, struct value *out)
{
    static const char *const WORDS[] = {"",  "Ärger",  "STRASSE", "ΣΊΣΥΦΟΣ",
                                        "a", "Dragon", "Кот"};
    memset(out, 0, sizeof(struct value) * COUNT_OF(TYPES));
    out[0].i = (int64_t)(row * 7919 % 1000) - 500;
    out[0].is_null = row % 10 == 3;
    out[1].d = row % 5 ? (double)row / 4 : row % 2 ? -0.0 : 0.0;
    out[2].text = arena_printf(a, "%s %d", WORDS[row % COUNT_OF(WORDS)], (int)(row % 50));
    struct str *elements = arena_array(a, 2, struct str);
    elements[0] = str_from(WORDS[row % 3 + 1]);
    elements[1] = arena_printf(a, "E%d", (int)(row % 4));
    out[3].text = arena_printf(a, "%s, E%d", elements[0].p, (int)(row % 4));
    out[3].elements = elements;
    out[3].element_count = row % 3;
    out[4].i = (int64_t)row;
    out[4].is_null = true;
}

static int
build_file(uint64_t row_count, uint64_t row_count_max, struct column_summary *summaries)
{
    struct err err = {0};
    struct columns_spec specs[COUNT_OF(TYPES)];
    for (size_t i = 0; i < COUNT_OF(TYPES); i++)
        specs[i] = (struct columns_spec){TYPES[i], row_count_max * 64};
    int fd = memory_file(STR(""));
    struct columns_builder *b =
        columns_build_begin(fd, specs, COUNT_OF(TYPES), row_count_max, &err);
    assert_non_null(b);
    scoped_arena a = {0};
    for (uint64_t row = 0; row < row_count; row++) {
        struct value values[COUNT_OF(TYPES)];
        make_row(&a, row, values);
        assert_true(columns_build_add(b, values, &err));
        arena_reset(&a);
    }
    assert_true(columns_build_finish(&b, summaries, &err));
    assert_null(b);
    return fd;
}

static void
assert_text(struct str seen, struct str raw)
{
    scoped_buf folded = {.max = MIB};
    utf8_fold(&folded, raw);
    assert_true(str_eq(seen, buf_str(&folded)));
}

static void
check_row(const struct columns *columns, uint64_t row)
{
    scoped_arena a = {0};
    struct value v[COUNT_OF(TYPES)];
    make_row(&a, row, v);
    const struct column *c = columns->columns;
    assert_int_equal(column_is_null(&c[0], row), v[0].is_null);
    struct block_reader ints = block_reader_of(&c[0], BLOCK_INTS);
    struct block_reader reals = block_reader_of(&c[1], BLOCK_REALS);
    assert_int_equal(block_int(&ints, row), v[0].is_null ? 0 : v[0].i);
    double d = block_real(&reals, row);
    assert_memory_equal(&d, &v[1].d, sizeof(double));
    assert_text(column_text(&c[2], row), v[2].text);
    assert_text(column_text(&c[3], row), v[3].text);
    size_t count;
    const uint32_t *ids = column_element_ids(&c[3], row, &count);
    assert_int_equal(count, v[3].element_count);
    for (size_t i = 0; i < count; i++) {
        assert_true(str_eq(column_element(&c[3], ids[i]), v[3].elements[i]));
        assert_text(column_element_folded(&c[3], ids[i]), v[3].elements[i]);
    }
    assert_true(column_is_null(&c[4], row));
}

static void
built_file_reads_back_as_it_was_given(void **state)
{
    (void)state;
    static const uint64_t COUNTS[] = {0, 1, 63, 64, 65, 5000};
    for (size_t i = 0; i < COUNT_OF(COUNTS); i++) {
        struct err err = {0};
        struct column_summary summaries[COUNT_OF(TYPES)];
        scoped_fd fd = build_file(COUNTS[i], COUNTS[i] + i * 10, summaries);
        scoped_arena a = {0};
        struct columns columns;
        assert_true(columns_open(&a, &columns, fd, &err));
        assert_true(columns_verify(&columns, &err));
        assert_int_equal(columns.row_count, COUNTS[i]);
        assert_int_equal(columns.column_count, COUNT_OF(TYPES));
        for (uint64_t row = 0; row < COUNTS[i]; row++)
            check_row(&columns, row);
        for (size_t c = 0; c < COUNT_OF(TYPES); c++)
            assert_memory_equal(&columns.columns[c].summary, &summaries[c],
                                sizeof(summaries[c]));
        columns_close(&columns);
    }
}

/* One reader per form, over several blocks and then back: each row as it is by itself. */
static void
blocks_hold_the_rows_of_the_column(void **state)
{
    (void)state;
    struct err err = {0};
    struct column_summary summaries[COUNT_OF(TYPES)];
    scoped_fd fd = build_file(2 * BLOCK_ROWS + 70, 2 * BLOCK_ROWS + 70, summaries);
    scoped_arena a = {0};
    struct columns columns;
    assert_true(columns_open(&a, &columns, fd, &err));
    const struct column *c = columns.columns;
    struct block_reader ints = block_reader_of(&c[0], BLOCK_INTS);
    struct block_reader reals = block_reader_of(&c[1], BLOCK_REALS);
    struct block_reader texts = block_reader_of(&c[2], BLOCK_TEXTS);
    struct block_reader prefixes = block_reader_of(&c[2], BLOCK_PREFIXES);
    struct block_reader hashes = block_reader_of(&c[2], BLOCK_HASHES);
    struct block_reader ids = block_reader_of(&c[3], BLOCK_IDS);
    for (uint64_t i = 0; i < 2 * columns.row_count; i++) {
        uint64_t row = i < columns.row_count ? i : 2 * columns.row_count - 1 - i;
        struct value number = column_number(&c[0], row);
        assert_int_equal(block_is_null(&ints, row), number.is_null);
        assert_int_equal(block_int(&ints, row), number.i);
        assert_true(block_real(&reals, row) == column_number(&c[1], row).d);
        const struct block *b = block_at(&texts, row);
        assert_int_equal(b->first % BLOCK_ROWS, 0);
        assert_int_equal(b->count, MIN(columns.row_count - b->first, BLOCK_ROWS));
        assert_true(str_eq(block_text(b, row - b->first), column_text(&c[2], row)));
        uint64_t before = row ? row - 1 : 0;
        int order = column_compare(&c[2], before, row);
        uint64_t x = block_word(&prefixes, before), y = block_word(&prefixes, row);
        assert_true(order < 0 ? x <= y : order > 0 ? x >= y : x == y);
        /* The texts of make_row come again after as many rows as there are words times 50. */
        if (row >= 350)
            assert_int_equal(block_word(&hashes, row), block_word(&hashes, row - 350));
        assert_int_not_equal(block_word(&hashes, row), block_word(&hashes, (row + 1) % 350));
        size_t count, wanted_count;
        const uint32_t *wanted = column_element_ids(&c[3], row, &wanted_count);
        const uint32_t *list = block_ids(&ids, row, &count);
        assert_int_equal(count, wanted_count);
        assert_memory_equal(list, wanted, count * sizeof(*list));
    }
    columns_close(&columns);
}

static void
summaries_count_nulls_distinct_and_range(void **state)
{
    (void)state;
    struct column_summary s[COUNT_OF(TYPES)];
    scoped_fd fd = build_file(5000, 5000, s);
    (void)fd;
    assert_int_equal(s[0].null_count, 500);
    /* 1,000 residues in order of row, of which the rows that end in 3 are null: 900 are left.
     */
    assert_int_equal(s[0].distinct_count, 900);
    assert_int_equal(s[0].min.i, -500);
    assert_true(s[0].has_range);
    assert_int_equal(s[1].null_count, 0);
    /* Both zeros are one value. */
    assert_int_equal(s[1].distinct_count, 4001);
    assert_true(s[1].max.d == 4999 / 4.0 && s[1].min.d == 0);
    assert_int_equal(s[2].distinct_count, 350);
    assert_false(s[2].has_range);
    assert_int_equal(s[3].distinct_count, 12);
    assert_int_equal(s[4].null_count, 5000);
    assert_int_equal(s[4].distinct_count, 0);
    assert_false(s[4].has_range);
}

static void
compare_orders_like_memcmp_of_folded_text(void **state)
{
    (void)state;
    struct err err = {0};
    struct column_summary summaries[COUNT_OF(TYPES)];
    scoped_fd fd = build_file(400, 400, summaries);
    scoped_arena a = {0};
    struct columns columns;
    assert_true(columns_open(&a, &columns, fd, &err));
    const struct column *c = &columns.columns[2];
    for (uint64_t i = 0; i < 400; i++)
        for (uint64_t j = 0; j < 400; j++) {
            int wanted = str_cmp(column_text(c, i), column_text(c, j));
            int seen = column_compare(c, i, j);
            assert_int_equal((seen > 0) - (seen < 0), (wanted > 0) - (wanted < 0));
        }
    columns_close(&columns);
}

/* Cells longer than any buffer, with every alignment of multi-byte characters. */
static void
long_cells_fold_across_buffers(void **state)
{
    (void)state;
    struct err err = {0};
    struct columns_spec spec = {COLUMN_TEXT, 8 * MIB};
    scoped_fd fd = memory_file(STR(""));
    struct columns_builder *b = columns_build_begin(fd, &spec, 1, 20, &err);
    scoped_buf text = {.max = MIB};
    for (size_t row = 0; row < 20; row++) {
        buf_clear(&text);
        for (size_t i = 0; i < row; i++)
            buf_add_char(&text, 'X');
        while (text.n < 200000)
            buf_add_lit(&text, "ÀŁ€ⱯÉ𐐀 Abc K");
        struct value v = {.text = buf_str(&text)};
        assert_true(columns_build_add(b, &v, &err));
    }
    struct column_summary summary;
    assert_true(columns_build_finish(&b, &summary, &err));
    assert_int_equal(summary.distinct_count, 20);
    scoped_arena a = {0};
    struct columns columns;
    assert_true(columns_open(&a, &columns, fd, &err));
    assert_true(columns_verify(&columns, &err));
    for (size_t row = 0; row < 20; row++) {
        struct str seen = column_text(&columns.columns[0], row);
        assert_true(row == 0 || seen.p[row - 1] == 'x');
        assert_true(str_starts(str_skip(seen, row), STR("àł€ɐé𐐨 abc k")));
    }
    columns_close(&columns);
}

/* The most that SQLite takes, of the type that needs the most buffers. */
static void
two_thousand_list_columns_are_built_in_bounded_memory(void **state)
{
    (void)state;
    enum { COLUMNS = 2000, ROWS = 200 };
    struct err err = {0};
    scoped_arena a = {0};
    struct columns_spec *specs = arena_array(&a, COLUMNS, struct columns_spec);
    struct value *row = arena_array(&a, COLUMNS, struct value);
    for (size_t i = 0; i < COLUMNS; i++)
        specs[i] = (struct columns_spec){COLUMN_LIST, ROWS * 20};
    scoped_fd fd = memory_file(STR(""));
    struct mallinfo2 before = mallinfo2();
    struct columns_builder *b = columns_build_begin(fd, specs, COLUMNS, ROWS, &err);
    struct mallinfo2 after = mallinfo2();
    /* The sanitizer's allocator is not asked here: it says 0 both times. */
    assert_true(after.uordblks - before.uordblks < 64 * MIB);
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            struct str *element = arena_new(&a, struct str);
            *element = arena_printf(&a, "%zu", (n + i) % 9);
            row[i] = (struct value){.text = *element, .elements = element, .element_count = 1};
        }
        assert_true(columns_build_add(b, row, &err));
    }
    struct column_summary *summaries = arena_array(&a, COLUMNS, struct column_summary);
    assert_true(columns_build_finish(&b, summaries, &err));
    struct columns columns;
    assert_true(columns_open(&a, &columns, fd, &err));
    assert_true(columns_verify(&columns, &err));
    for (size_t i = 0; i < COLUMNS; i++) {
        const struct column *c = &columns.columns[i];
        assert_int_equal(summaries[i].distinct_count, 9);
        assert_int_equal(column_element_count(c), 9);
        assert_text(column_element(c, 3), column_text(c, 3));
    }
    columns_close(&columns);
}

static void
builder_refuses_what_outgrows_its_bounds(void **state)
{
    (void)state;
    struct err err = {0};
    struct columns_spec spec = {COLUMN_TEXT, 8};
    scoped_fd fd = memory_file(STR(""));
    struct columns_builder *b = columns_build_begin(fd, &spec, 1, 1, &err);
    struct value v = {.text = STR("nine byte")};
    struct column_summary summary;
    assert_true(columns_build_add(b, &v, &err));
    assert_false(columns_build_add(b, &v, &err));
    assert_false(columns_build_finish(&b, &summary, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_null(b);
    columns_build_cancel(&b);
}

/* What the sections cover, as the container's table says. */
static bool
is_covered(const unsigned char *file, uint64_t at)
{
    uint64_t table, file_bytes;
    uint32_t count;
    memcpy(&count, file + 20, 4);
    memcpy(&table, file + 32, 8);
    memcpy(&file_bytes, file + 40, 8);
    if (at < 64 || at >= table)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t offset, bytes;
        memcpy(&offset, file + table + i * 32 + 8, 8);
        memcpy(&bytes, file + table + i * 32 + 16, 8);
        if (at >= offset && at < offset + bytes)
            return true;
    }
    return false;
}

static bool
opens_and_verifies(int fd, struct err *err)
{
    scoped_arena a = {0};
    struct columns columns;
    if (!columns_open(&a, &columns, fd, err))
        return false;
    bool ok = columns_verify(&columns, err);
    columns_close(&columns);
    return ok;
}

static void
every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    struct err err = {0};
    struct column_summary summaries[COUNT_OF(TYPES)];
    scoped_fd fd = build_file(20, 20, summaries);
    uint64_t bytes, covered = 0;
    assert_true(fs_size(fd, &bytes, &err));
    unsigned char *file = malloc(bytes);
    assert_true(fs_read_at(fd, file, bytes, 0, &err));
    for (uint64_t at = 0; at < bytes; at++) {
        if (!is_covered(file, at))
            continue;
        unsigned char flipped = file[at] ^ (unsigned char)(1 << at % 8);
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
        if (opens_and_verifies(fd, &err))
            fail_msg("byte %llu may be turned unnoticed", (unsigned long long)at);
        assert_string_equal(err_code(&err), "index_damaged");
        assert_int_equal(pwrite(fd, file + at, 1, (off_t)at), 1);
        covered++;
    }
    assert_true(covered > 1000);
    assert_true(opens_and_verifies(fd, &err));
    free(file);
}

static void
file_cut_short_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct column_summary summaries[COUNT_OF(TYPES)];
    scoped_fd fd = build_file(20, 20, summaries);
    uint64_t bytes;
    assert_true(fs_size(fd, &bytes, &err));
    for (uint64_t n = bytes; n-- > 0; n -= MIN(n, 97)) {
        assert_int_equal(ftruncate(fd, (off_t)n), 0);
        assert_false(opens_and_verifies(fd, &err));
        assert_string_equal(err_code(&err), "index_damaged");
    }
}

static void
bitmap_agrees_with_an_array_of_bools(void **state)
{
    (void)state;
    dice_begin(__func__);
    for (uint64_t n = 0; n < 200; n += 13) {
        scoped_arena a = {0};
        struct bitmap b = bitmap_new(&a, n), full = bitmap_new_full(&a, n);
        assert_int_equal(bitmap_count(&full), n);
        bool has[200] = {false};
        uint64_t count = 0;
        for (uint64_t row = 0; row < n; row++)
            if (dice_below(3) == 0) {
                bitmap_set(&b, row);
                has[row] = true;
                count++;
            }
        assert_int_equal(bitmap_count(&b), count);
        uint64_t nth = 0;
        for (uint64_t row = 0; row < n; row++) {
            assert_int_equal(bitmap_has(&b, row), has[row]);
            if (has[row])
                assert_int_equal(bitmap_nth(&b, nth++), row);
            uint64_t next = row;
            while (next < n && !has[next])
                next++;
            dice_reach("none follows", next == n);
            dice_reach("in another word", next < n && next / 64 != row / 64);
            assert_int_equal(bitmap_next(&b, row), next);
        }
        assert_int_equal(bitmap_nth(&b, count), n);
        bitmap_not(&b);
        assert_int_equal(bitmap_count(&b), n - count);
        bitmap_and_not(&full, &b);
        assert_int_equal(bitmap_count(&full), count);
        bitmap_or(&full, &b);
        bitmap_and(&full, &b);
        assert_int_equal(bitmap_count(&full), n - count);
    }
    dice_end();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_file_reads_back_as_it_was_given),
        cmocka_unit_test(blocks_hold_the_rows_of_the_column),
        cmocka_unit_test(summaries_count_nulls_distinct_and_range),
        cmocka_unit_test(compare_orders_like_memcmp_of_folded_text),
        cmocka_unit_test(long_cells_fold_across_buffers),
        cmocka_unit_test(two_thousand_list_columns_are_built_in_bounded_memory),
        cmocka_unit_test(builder_refuses_what_outgrows_its_bounds),
        cmocka_unit_test(every_flipped_byte_is_noticed),
        cmocka_unit_test(file_cut_short_is_refused),
        cmocka_unit_test(bitmap_agrees_with_an_array_of_bools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
