/* The cache of opened versions: what is published elsewhere is seen, what is dropped is gone,
 * what is damaged says so, and no more than a few stay open. */
#include "embedded/version.h"
#include "temp_db.h"

#include <dirent.h>
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

static struct str
folder_of(struct temp_db *t, int64_t dataset_id, struct str job_id)
{
    return arena_printf(&t->arena, "%s/datasets/%lld/%" STR_FMT,
                        ((struct temp_dir *)t->dir)->path, (long long)dataset_id,
                        STR_ARG(job_id));
}

static void
write_files(struct temp_db *t, struct str folder, int64_t row_count)
{
    struct err err = {0};
    struct rows_column column = {STR("id"), COLUMN_INTEGER, 0};
    struct columns_spec spec = {COLUMN_INTEGER, 0};
    struct column_summary summary;
    assert_true(fs_make_dirs(folder.p, &err));
    const char *path = arena_printf(&t->arena, "%s/" ROWS_FILE_NAME, folder.p).p;
    struct rows_builder *rows = rows_build_begin(path, &column, 1, &err);
    assert_non_null(rows);
    path = arena_printf(&t->arena, "%s/" COLUMNS_FILE_NAME, folder.p).p;
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, &err);
    struct columns_builder *columns =
        columns_build_begin(fd, &spec, 1, (uint64_t)row_count, &err);
    assert_non_null(columns);
    for (int64_t i = 0; i < row_count; i++) {
        struct value value = {.i = i * 2};
        assert_true(rows_build_add(rows, &value, 0, &err));
        assert_true(columns_build_add(columns, &value, &err));
    }
    assert_true(rows_build_finish(&rows, &err));
    assert_true(columns_build_finish(&columns, &summary, &err));
}

/* A version with that many rows; gives its folder. */
static struct str
publish(struct temp_db *t, const char *dataset, int64_t row_count, enum column_type type)
{
    struct err err = {0};
    struct job job;
    int64_t dataset_id, number;
    scoped_buf schema_json;
    struct schema_column column = {
        .name = STR("id"), .header = STR("ID"), .type = type, .decimal = '.'};
    struct schema schema = {&column,           1,     0,    SCHEMA_ROW_NUMBER,
                            SCHEMA_ROW_NUMBER, false, NULL, 0};
    struct str job_id = temp_db_enqueue(t, dataset);
    assert_true(dataset_ensure(t->writer, str_from(dataset), true, &dataset_id, &err));
    assert_int_equal(job_claim_one(&t->arena, t->writer, job_id, &job, &err), 1);
    struct str folder = folder_of(t, dataset_id, job_id);
    write_files(t, folder, row_count);
    buf_init(&schema_json, MIB);
    schema_add_json(&schema_json, &schema);
    struct dataset_publication publication = {.dataset = str_from(dataset),
                                              .job_id = job_id,
                                              .schema_json = buf_str(&schema_json),
                                              .summaries_json = STR("[]"),
                                              .source_sha256 = STR("00ff"),
                                              .source = STR("games.csv"),
                                              .receipt_json = STR("{}"),
                                              .base_version = DATASET_ANY_BASE,
                                              .row_count = row_count,
                                              .kept = 1};
    if (!dataset_publish(t->writer, &publication, &number, &err))
        fail_msg("%s", err.detail);
    return folder;
}

static struct db *catalogue;

static struct engine_state *
open_cache(struct temp_db *t, int64_t start)
{
    catalogue = t->db;
    return embedded_start(t->db, ((struct temp_dir *)t->dir)->path, start);
}

static bool
open_version(struct engine_state *cache, const char *name, int64_t number,
             const struct version **out, struct err *err)
{
    scoped_arena a = {0};
    struct dataset dataset;
    return dataset_get(&a, catalogue, str_from(name), &dataset, err) &&
           embedded_open(cache, &dataset, number, out, err);
}

static uint64_t
rows_of(struct engine_state *cache, const char *dataset, int64_t number)
{
    const struct version *version;
    struct err err = {0};
    if (!open_version(cache, dataset, number, &version, &err))
        fail_msg("%s %lld: %s", dataset, (long long)number, err.detail);
    assert_true(str_eq(version->dataset.name, str_from(dataset)));
    assert_true(str_eq(version->schema.columns[0].header, STR("ID")));
    const struct embedded_version *opened = (const struct embedded_version *)version;
    assert_true(opened->key_ascends);
    return opened->row_count;
}

static void
expect_failure(struct engine_state *cache, const char *dataset, int64_t number,
               enum err_kind kind, const char *code)
{
    const struct version *version;
    struct err err = {0};
    assert_false(open_version(cache, dataset, number, &version, &err));
    assert_int_equal(err.kind, kind);
    assert_string_equal(err_code(&err), code);
}

static void
a_version_published_elsewhere_is_seen_by_the_next_call(void **state)
{
    struct temp_db *t = *state;
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    publish(t, "games", 3, COLUMN_INTEGER);
    assert_int_equal(rows_of(cache, "games", 0), 3);
    assert_int_equal(rows_of(cache, "games", 0), 3);
    publish(t, "games", 5, COLUMN_INTEGER);
    assert_int_equal(rows_of(cache, "games", 0), 5);
    assert_int_equal(rows_of(cache, "games", 1), 3);
    assert_int_equal(rows_of(cache, "games", 2), 5);
}

static void
a_dropped_version_is_gone_even_while_it_is_mapped(void **state)
{
    struct temp_db *t = *state;
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    for (int64_t rows = 1; rows <= 3; rows++) {
        publish(t, "games", rows, COLUMN_INTEGER);
        assert_int_equal(rows_of(cache, "games", rows), rows);
    }
    expect_failure(cache, "games", 1, ERR_GONE, "gone");
    assert_int_equal(rows_of(cache, "games", 2), 2);
}

static void
what_is_not_there_says_so(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t id;
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    expect_failure(cache, "games", 0, ERR_NOT_FOUND, "not_found");
    assert_true(dataset_ensure(t->writer, STR("games"), true, &id, &err));
    expect_failure(cache, "games", 0, ERR_NOT_FOUND, "nothing_published");
    publish(t, "games", 3, COLUMN_INTEGER);
    expect_failure(cache, "games", 7, ERR_NOT_FOUND, "not_found");
}

static size_t
open_descriptors(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Mapped files are the disk's until the last map is gone. */
static size_t
maps_of(struct str folder)
{
    struct err err = {0};
    scoped_buf maps;
    buf_init(&maps, 16 * MIB);
    if (!fs_read_file(&maps, AT_FDCWD, "/proc/self/maps", &err))
        fail_msg("%s", err.detail);
    size_t count = 0;
    struct str rest = buf_str(&maps);
    while (rest.p)
        count += str_find(str_cut(&rest, '\n'), folder) >= 0;
    return count;
}

static void
a_dropped_version_is_closed_when_a_newer_one_is_opened(void **state)
{
    struct temp_db *t = *state;
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    struct str folders[4];
    for (int64_t rows = 1; rows <= 4; rows++) {
        folders[rows - 1] = publish(t, "games", rows, COLUMN_INTEGER);
        assert_int_equal(rows_of(cache, "games", 0), rows);
    }
    /* One is kept beside the current one. */
    assert_int_equal(maps_of(folders[0]), 0);
    assert_int_equal(maps_of(folders[1]), 0);
    assert_int_not_equal(maps_of(folders[2]), 0);
    assert_int_not_equal(maps_of(folders[3]), 0);
    assert_int_equal(rows_of(cache, "games", 3), 3);
}

static void
more_datasets_than_the_cache_holds_are_all_answered(void **state)
{
    struct temp_db *t = *state;
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    size_t after_first_round = 0;
    for (int64_t i = 0; i < 12; i++)
        publish(t, arena_printf(&t->arena, "set_%lld", (long long)i).p, i, COLUMN_INTEGER);
    for (int round = 0; round < 3; round++) {
        for (int64_t i = 0; i < 12; i++)
            assert_int_equal(
                rows_of(cache, arena_printf(&t->arena, "set_%lld", (long long)i).p, 0), i);
        if (round == 0)
            after_first_round = open_descriptors();
    }
    assert_int_equal(open_descriptors(), after_first_round);
}

static void
files_that_are_missing_or_damaged_ask_for_an_index(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    struct str folder = publish(t, "broken", 3, COLUMN_INTEGER);
    const char *path = arena_printf(&t->arena, "%s/" COLUMNS_FILE_NAME, folder.p).p;
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDWR, &err);
    assert_true(fs_write_at(fd, STR("not this"), 0, &err));
    expect_failure(cache, "broken", 0, ERR_BUSY, "index_damaged");
    folder = publish(t, "half", 3, COLUMN_INTEGER);
    assert_true(fs_remove_tree(
        AT_FDCWD, arena_printf(&t->arena, "%s/" ROWS_FILE_NAME, folder.p).p, &err));
    expect_failure(cache, "half", 0, ERR_BUSY, "index_damaged");
    folder = publish(t, "missing", 3, COLUMN_INTEGER);
    assert_true(fs_remove_tree(AT_FDCWD, folder.p, &err));
    expect_failure(cache, "missing", 0, ERR_BUSY, "index_damaged");
    publish(t, "mistaken", 3, COLUMN_REAL);
    expect_failure(cache, "mistaken", 0, ERR_BUSY, "index_damaged");
}

/* What is in the file decides how long a search takes, not what it answers. */
static void
a_version_is_answered_without_its_trigrams(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    publish(t, "games", 3, COLUMN_INTEGER);
    assert_int_equal(rows_of(cache, "games", 0), 3);
    struct str folder = publish(t, "broken", 3, COLUMN_INTEGER);
    const char *path = arena_printf(&t->arena, "%s/" TRIGRAMS_FILE_NAME, folder.p).p;
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDWR | O_CREAT, &err);
    assert_true(fs_write_at(fd, STR("not this"), 0, &err));
    assert_int_equal(rows_of(cache, "broken", 0), 3);
}

static void
an_unchecked_version_that_is_asked_for_is_checked_next(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct integrity_schedule schedule = {77, 3600000, 3600000};
    struct str name;
    struct dataset_version version;
    for (int64_t i = 1; i <= 4; i++)
        publish(t, "games", i, COLUMN_INTEGER);
    temp_db_exec(t, "UPDATE dataset_version SET dropped_at = 0, checked_at = number");
    temp_db_exec(t, "UPDATE dataset_version SET checked_start = 77 WHERE number = 4");
    SCOPED(embedded_stop)
    struct engine_state *cache = open_cache(t, 77);
    expect_failure(cache, "games", 3, ERR_BUSY, "version_unchecked");
    embedded_doubt(cache, t->writer);
    assert_int_equal(integrity_next(&t->arena, t->db, &schedule, &name, &version, &err), 1);
    assert_int_equal(version.number, 3);
}

static int
refuse_open(const char *path UNUSED, int flags UNUSED, int mode UNUSED)
{
    errno = EMFILE;
    return -1;
}

/* Nobody is told to import again for it. */
static void
a_want_of_descriptors_is_no_damage(void **state)
{
    struct temp_db *t = *state;
    SCOPED(embedded_stop) struct engine_state *cache = open_cache(t, 0);
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    publish(t, "games", 3, COLUMN_INTEGER);
    assert_int_equal(vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)refuse_open),
                     SQLITE_OK);
    expect_failure(cache, "games", 0, ERR_BUSY, "busy");
    assert_int_equal(vfs->xSetSystemCall(vfs, "open", NULL), SQLITE_OK);
    assert_int_equal(rows_of(cache, "games", 0), 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(a_version_published_elsewhere_is_seen_by_the_next_call),
        DB_TEST(a_dropped_version_is_gone_even_while_it_is_mapped),
        DB_TEST(a_dropped_version_is_closed_when_a_newer_one_is_opened),
        DB_TEST(what_is_not_there_says_so),
        DB_TEST(more_datasets_than_the_cache_holds_are_all_answered),
        DB_TEST(files_that_are_missing_or_damaged_ask_for_an_index),
        DB_TEST(a_version_is_answered_without_its_trigrams),
        DB_TEST(an_unchecked_version_that_is_asked_for_is_checked_next),
        DB_TEST(a_want_of_descriptors_is_no_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
