/* Reindexing: whatever became of the index files, rows.db gives them back as they were. */
#include "disk_order.h"
#include "import_attempt.h"

#include "few_descriptors.h"

#include "embedded/files.h"
#include "index/block.h"
#include "index/trigrams.h"

struct indexes {
    struct arena arena;
    struct columns columns;
    struct trigrams trigrams;
};

static const char *
path_of(struct attempt *t, const char *file)
{
    return temp_path(t->dir, arena_printf(&t->dir->arena, "%s/%s", folder_of(t), file).p);
}

static void
open_indexes(struct attempt *t, struct indexes *x)
{
    struct err err;
    *x = (struct indexes){0};
    scoped_fd fd = fs_open_at(AT_FDCWD, path_of(t, "columns"), O_RDONLY, &err);
    scoped_fd trigrams = fs_open_at(AT_FDCWD, path_of(t, "trigrams"), O_RDONLY, &err);
    if (!columns_open(&x->arena, &x->columns, fd, &err) || !columns_verify(&x->columns, &err) ||
        !trigrams_open(&x->arena, &x->trigrams, trigrams, &x->columns, &err) ||
        !trigrams_verify(&x->trigrams, &err))
        fail_msg("%s", err.detail);
}

static void
close_indexes(struct indexes *x)
{
    trigrams_close(&x->trigrams);
    columns_close(&x->columns);
    arena_free(&x->arena);
}

static void
expect_same_words(const struct column *a, const struct column *b, enum block_form form)
{
    struct block_reader x = block_reader_of(a, form), y = block_reader_of(b, form);
    for (uint64_t row = 0; row < a->row_count; row++)
        assert_int_equal(block_word(&x, row), block_word(&y, row));
}

static void
expect_same_elements(const struct column *a, const struct column *b)
{
    uint32_t element_count = column_element_count(a);
    assert_int_equal(element_count, column_element_count(b));
    for (uint32_t id = 0; id < element_count; id++)
        assert_true(str_eq(column_element(a, id), column_element(b, id)));
    for (uint64_t row = 0; row < a->row_count; row++) {
        size_t count, other_count;
        const uint32_t *ids = column_element_ids(a, row, &count);
        const uint32_t *other_ids = column_element_ids(b, row, &other_count);
        assert_int_equal(count, other_count);
        assert_memory_equal(ids, other_ids, count * sizeof(*ids));
    }
}

static void
expect_same_column(const struct column *a, const struct column *b)
{
    uint64_t rows = a->row_count;
    assert_int_equal(a->type, b->type);
    assert_int_equal(rows, b->row_count);
    assert_memory_equal(&a->summary, &b->summary, sizeof(a->summary));
    for (uint64_t row = 0; row < rows; row++)
        assert_int_equal(column_is_null(a, row), column_is_null(b, row));
    if (!column_type_is_textual(a->type)) {
        expect_same_words(a, b, block_value_form(a));
        return;
    }
    assert_true(str_eq(column_texts(a, 0, rows), column_texts(b, 0, rows)));
    for (uint64_t row = 0; row < rows; row++)
        assert_true(str_eq(column_text(a, row), column_text(b, row)));
    expect_same_words(a, b, BLOCK_PREFIXES);
    if (a->type == COLUMN_LIST)
        expect_same_elements(a, b);
}

static void
expect_same(const struct indexes *a, const struct indexes *b)
{
    assert_int_equal(a->columns.column_count, b->columns.column_count);
    for (size_t i = 0; i < a->columns.column_count; i++)
        expect_same_column(&a->columns.columns[i], &b->columns.columns[i]);
    assert_int_equal(a->trigrams.column_count, b->trigrams.column_count);
    for (size_t i = 0; i < a->trigrams.column_count; i++) {
        const struct trigrams_column *x = &a->trigrams.columns[i], *y = &b->trigrams.columns[i];
        assert_int_equal(x->column, y->column);
        assert_int_equal(x->segment_count, y->segment_count);
        for (size_t s = 0; s < x->segment_count; s++)
            assert_true(str_eq(x->segments[s].lists, y->segments[s].lists));
    }
}

static void
import_books(struct attempt *t, struct temp_dir *dir)
{
    scoped_buf csv;
    begin(t, dir);
    set(t, "key", "id");
    set(t, "types", "tags:list");
    buf_init(&csv, 8 * MIB);
    buf_add_lit(&csv, "id,about,tags,price,day,free\n");
    for (int i = 0; csv.n < 7 * MIB; i++)
        buf_printf(&csv,
                   "%d,Straße %d of ÉCLAIR dragons and some %d words,\"A%d, B, É\",%s,%s,%s\n",
                   i, i * 7, i % 100, i % 9, i % 4 ? "1.25" : "", i % 3 ? "2020-02-29" : "",
                   i % 2 ? "true" : "false");
    import_bytes(t, "books", buf_str(&csv));
    if (!t->is_done)
        fail_msg("%s", t->err.detail);
}

static void
spoil(struct attempt *t, const char *file, bool removes)
{
    struct err err;
    if (removes) {
        assert_true(fs_remove_tree(AT_FDCWD, path_of(t, file), &err));
        return;
    }
    /* The old bytes are mapped by the test, so that it is another file that is damaged. */
    assert_true(fs_replace_file(AT_FDCWD, path_of(t, file), STR("not this"), 0600, &err));
}

static void
every_index_file_comes_back_deleted_or_damaged(void **state)
{
    struct attempt t;
    struct indexes before, after;
    struct err err;
    static const char *const FILES[] = {"columns", "trigrams"};
    import_books(&t, *state);
    open_indexes(&t, &before);
    assert_int_equal(before.trigrams.column_count, 1);
    for (unsigned which = 1; which < 4; which++)
        for (int removes = 0; removes < 2; removes++) {
            for (size_t i = 0; i < COUNT_OF(FILES); i++)
                if (which >> i & 1)
                    spoil(&t, FILES[i], removes);
            if (!EMBEDDED_FILES.reindex(t.dir->path, &t.base, &err))
                fail_msg("%s", err.detail);
            open_indexes(&t, &after);
            expect_same(&before, &after);
            close_indexes(&after);
        }
    close_indexes(&before);
    assert_int_equal(access(path_of(&t, "columns.new"), F_OK), -1);
    assert_int_equal(access(path_of(&t, "trigrams.new"), F_OK), -1);
}

static void
what_was_made_again_is_on_the_disk(void **state)
{
    struct attempt t;
    struct err err;
    static const char *const FILES[] = {"columns", "trigrams"};
    import_books(&t, *state);
    disk_log_clear();
    assert_true(EMBEDDED_FILES.reindex(t.dir->path, &t.base, &err));
    const char *folder = folder_of(&t);
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        struct arena *a = &t.dir->arena;
        ptrdiff_t named =
            disk_last(t.dir, "rename", arena_printf(a, "%s/%s", folder, FILES[i]).p);
        assert_true(disk_last(t.dir, "sync", arena_printf(a, "%s/%s.new", folder, FILES[i]).p) <
                    named);
        assert_true(disk_last(t.dir, "sync", folder) > named);
    }
}

static void
what_a_killed_reindex_left_is_written_over(void **state)
{
    struct attempt t;
    struct indexes before, after;
    struct err err;
    import_books(&t, *state);
    open_indexes(&t, &before);
    assert_true(fs_replace_file(AT_FDCWD, path_of(&t, "columns.new"), STR("half"), 0600, &err));
    assert_true(EMBEDDED_FILES.reindex(t.dir->path, &t.base, &err));
    open_indexes(&t, &after);
    expect_same(&before, &after);
    close_indexes(&after);
    close_indexes(&before);
}

static void
without_rows_the_old_files_stay(void **state)
{
    struct attempt t;
    struct indexes before, after;
    struct err err;
    import_books(&t, *state);
    open_indexes(&t, &before);
    t.base.row_count++;
    assert_false(EMBEDDED_FILES.reindex(t.dir->path, &t.base, &err));
    assert_non_null(strstr(err.detail, "has no row"));
    t.base.row_count--;
    spoil(&t, "rows.db", true);
    assert_false(EMBEDDED_FILES.reindex(t.dir->path, &t.base, &err));
    assert_string_equal(err_code(&err), "rows_damaged");
    open_indexes(&t, &after);
    expect_same(&before, &after);
    close_indexes(&after);
    close_indexes(&before);
    assert_int_equal(access(path_of(&t, "columns.new"), F_OK), -1);
}

/* However few descriptors are left, whole files are found whole or not judged. */
static void
a_want_of_descriptors_is_no_damage(void **state)
{
    struct attempt t;
    struct err err;
    import_books(&t, *state);
    uint64_t checksum = t.base.rows_checksum;
    assert_true(checksum != 0);
    for (int has_checksum = 0; has_checksum < 2; has_checksum++) {
        unsigned judged = 0;
        t.base.rows_checksum = has_checksum ? checksum : 0;
        for (unsigned left = 0; left < 8; left++) {
            struct integrity_finding finding = {0};
            struct few_descriptors few = few_descriptors_begin(left);
            bool is_judged = EMBEDDED_FILES.check(t.dir->path, &t.base, &finding, &err);
            bool is_short = !is_judged && err_is_shortage(&err);
            bool has_rows = EMBEDDED_FILES.check_rows(t.dir->path, &t.base, &err);
            few_descriptors_end(&few);
            assert_true(is_judged || is_short);
            assert_int_equal(finding.damaged, 0);
            assert_true(has_rows || err_is_shortage(&err));
            assert_true(left > 0 || !is_judged);
            judged += is_judged;
        }
        assert_true(judged > 0);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, temp_set_up, temp_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_index_file_comes_back_deleted_or_damaged),
        TEST(what_was_made_again_is_on_the_disk),
        TEST(what_a_killed_reindex_left_is_written_over),
        TEST(without_rows_the_old_files_stay),
        TEST(a_want_of_descriptors_is_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
