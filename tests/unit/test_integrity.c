/* What becomes of a dataset whose files are found damaged, and what a file has to be to pass.
 */
#include "temp_db.h"

#include "base/fs.h"
#include "index/tfidf.h"
#include "index/trigrams.h"
#include "store/rows.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define START 77
#define DATASET 1

static int64_t
publish(struct temp_db *t)
{
    struct err err = {0};
    struct job job;
    int64_t id, number = 0;
    struct str job_id = temp_db_enqueue(t, "books");
    if (!dataset_ensure(t->writer, STR("books"), true, &id, &err))
        fail_msg("%s", err.detail);
    assert_int_equal(id, DATASET);
    assert_int_equal(job_claim_one(&t->arena, t->writer, job_id, &job, &err), 1);
    const char *folder = arena_printf(&t->arena, "datasets/1/%" STR_FMT, STR_ARG(job_id)).p;
    folder = temp_path(t->dir, folder);
    const char *rows = arena_printf(&t->arena, "%s/rows.db", folder).p;
    assert_true(fs_make_dirs(folder, &err));
    assert_true(fs_replace_file(AT_FDCWD, rows, STR("rows"), 0600, &err));
    struct dataset_publication p = {.dataset = STR("books"),
                                    .job_id = job_id,
                                    .schema_json = STR("{\"columns\":[]}"),
                                    .summaries_json = STR("[]"),
                                    .source_sha256 = STR("00ff"),
                                    .source = STR("books.csv"),
                                    .label = STR(""),
                                    .receipt_json = STR("{}"),
                                    .base_version = DATASET_ANY_BASE,
                                    .row_count = 3,
                                    .kept = 3,
                                    .rows_checksum = 5};
    if (!dataset_publish(t->writer, &p, &number, &err))
        fail_msg("%s", err.detail);
    return number;
}

static struct dataset_version
version_of(struct temp_db *t, int64_t number)
{
    struct err err = {0};
    struct dataset_version version;
    if (!dataset_version_get(&t->arena, t->db, STR("books"), number, &version, &err))
        fail_msg("%s", err.detail);
    return version;
}

/* A check of the version as it is in the catalogue; the version that is current then. */
static int64_t
find(struct temp_db *t, const struct dataset_version *version, unsigned damaged)
{
    struct err err = {0};
    struct integrity_finding finding = {.damaged = damaged, .rows_checksum = 9};
    char id[JOB_ID_DIGITS + 1];
    int64_t current = 0;
    job_make_id(id);
    if (!integrity_store(t->writer, START, version, &finding, str_from(id), &current, &err))
        fail_msg("%s", err.detail);
    return current;
}

static int64_t
find_number(struct temp_db *t, int64_t number, unsigned damaged)
{
    struct dataset_version version = version_of(t, number);
    return find(t, &version, damaged);
}

static struct dataset
books(struct temp_db *t)
{
    struct err err = {0};
    struct dataset dataset;
    assert_true(dataset_get(&t->arena, t->db, STR("books"), &dataset, &err));
    return dataset;
}

static size_t
count_jobs(struct temp_db *t)
{
    struct err err = {0};
    struct job *jobs;
    size_t count;
    struct job_filter filter = {.kind = STR("reindex"), .limit = 100};
    assert_true(job_list(&t->arena, t->db, &filter, &jobs, &count, &err));
    return count;
}

static void
the_newest_whole_version_below_stands_in(void **state)
{
    struct temp_db *t = *state;
    for (int64_t number = 1; number <= 3; number++)
        assert_int_equal(publish(t), number);
    assert_int_equal(find_number(t, 2, INTEGRITY_ROWS), 3);
    assert_int_equal(find_number(t, 3, INTEGRITY_ROWS), 1);
    assert_int_equal(books(t).wanted_version, 3);
    /* None is whole: the wanted one is refused. */
    assert_int_equal(find_number(t, 1, INTEGRITY_ROWS | INTEGRITY_TFIDF), 3);
    assert_int_equal(books(t).wanted_version, 0);
    /* And each that is whole again counts. */
    assert_int_equal(find_number(t, 1, INTEGRITY_COLUMNS), 1);
    assert_int_equal(books(t).wanted_version, 3);
    assert_int_equal(find_number(t, 2, 0), 2);
    assert_int_equal(find_number(t, 3, 0), 3);
    assert_int_equal(books(t).wanted_version, 0);
    assert_int_equal(version_of(t, 1).damaged, INTEGRITY_COLUMNS);
}

static void
a_newer_one_stands_in_where_no_older_is_whole(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t current;
    publish(t);
    publish(t);
    assert_true(dataset_rollback(t->writer, STR("books"), 1, &current, &err));
    assert_int_equal(find_number(t, 1, INTEGRITY_ROWS), 2);
}

static void
who_publishes_or_rolls_back_wants_that_version(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t current;
    publish(t);
    publish(t);
    find_number(t, 2, INTEGRITY_ROWS);
    assert_false(dataset_rollback(t->writer, STR("books"), 2, &current, &err));
    assert_string_equal(err_code(&err), "version_damaged");
    assert_true(dataset_rollback(t->writer, STR("books"), 1, &current, &err));
    assert_int_equal(books(t).wanted_version, 0);
    assert_int_equal(find_number(t, 2, 0), 1);
    find_number(t, 1, INTEGRITY_ROWS);
    assert_int_equal(publish(t), 3);
    assert_int_equal(books(t).wanted_version, 0);
    assert_int_equal(find_number(t, 1, 0), 3);
    /* The version before is the newest that has its rows. */
    find_number(t, 2, INTEGRITY_ROWS);
    assert_true(dataset_rollback(t->writer, STR("books"), 0, &current, &err));
    assert_int_equal(current, 1);
}

static void
who_rolls_back_to_an_unchecked_version_has_it_checked_next(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct integrity_schedule schedule = {START, 3600000, 3600000};
    struct str name;
    struct dataset_version version;
    int64_t current;
    for (int64_t number = 1; number <= 4; number++)
        publish(t);
    /* The next start. */
    assert_true(integrity_begin(t->writer, START, &err));
    find_number(t, 4, 0);
    assert_false(dataset_rollback(t->writer, STR("books"), 3, &current, &err));
    assert_int_equal(err.kind, ERR_BUSY);
    assert_string_equal(err_code(&err), "version_unchecked");
    assert_int_equal(books(t).version, 4);
    assert_int_equal(integrity_next(&t->arena, t->db, &schedule, &name, &version, &err), 1);
    assert_int_equal(version.number, 3);
    find(t, &version, 0);
    assert_true(dataset_rollback(t->writer, STR("books"), 3, &current, &err));
    assert_int_equal(books(t).version, 3);
    /* Of those that were checked, too, the doubted one comes before a current one. */
    find_number(t, 2, 0);
    find_number(t, 1, 0);
    version = version_of(t, 2);
    assert_true(integrity_doubt(t->writer, &version, &err));
    temp_db_exec(t, "UPDATE dataset_version SET checked_at = 1 WHERE number = 3");
    assert_int_equal(integrity_next(&t->arena, t->db, &schedule, &name, &version, &err), 1);
    assert_int_equal(version.number, 2);
}

static void
an_old_finding_does_not_count(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    publish(t);
    struct dataset_version before = version_of(t, 1);
    assert_true(integrity_store_reindexed(t->writer, &before, STR(""), STR(""), &err));
    assert_int_equal(find(t, &before, INTEGRITY_ROWS), 0);
    struct dataset_version after = version_of(t, 1);
    assert_int_equal(after.damaged, 0);
    assert_int_equal(after.edition, before.edition + 1);
}

static void
damage_found_during_a_reindex_stands(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct integrity_schedule schedule = {START, 3600000, 3600000};
    struct dataset_version version;
    struct str name;
    publish(t);
    publish(t);
    find_number(t, 1, 0);
    find_number(t, 2, 0);
    struct dataset_version before = version_of(t, 2);
    assert_int_equal(find_number(t, 2, INTEGRITY_ROWS), 1);
    assert_true(integrity_store_reindexed(t->writer, &before, STR(""), STR(""), &err));
    assert_int_equal(version_of(t, 2).damaged, INTEGRITY_ROWS);
    assert_true(version_of(t, 2).damaged_at > 0);
    assert_int_equal(books(t).version, 1);
    /* rows.db may have been put back before the reindex read it: the check decides. */
    assert_int_equal(integrity_next(&t->arena, t->db, &schedule, &name, &version, &err), 1);
    assert_int_equal(version.number, 2);
    assert_int_equal(find(t, &version, 0), 2);
}

static void
files_are_opened_anew_when_and_only_when_they_changed(void **state)
{
    struct temp_db *t = *state;
    publish(t);
    int64_t edition = version_of(t, 1).edition;
    find_number(t, 1, 0);
    assert_int_equal(version_of(t, 1).edition, edition);
    assert_int_equal(version_of(t, 1).checked_start, START);
    assert_int_equal(version_of(t, 1).rows_checksum, 5); /* kept: it is the one that was made */
    find_number(t, 1, INTEGRITY_TRIGRAMS);
    int64_t since = version_of(t, 1).damaged_at;
    assert_true(since > 0);
    find_number(t, 1, INTEGRITY_TRIGRAMS);
    assert_int_equal(version_of(t, 1).edition, edition + 1);
    find_number(t, 1, INTEGRITY_TRIGRAMS | INTEGRITY_TFIDF);
    assert_int_equal(version_of(t, 1).edition, edition + 2);
    assert_int_equal(version_of(t, 1).damaged_at, since);
    find_number(t, 1, 0);
    assert_int_equal(version_of(t, 1).damaged_at, 0);
    assert_int_equal(books(t).edition, edition + 3);
}

static void
one_job_mends_and_one_tells_of_lost_rows(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    publish(t);
    find_number(t, 1, 0);
    assert_int_equal(count_jobs(t), 0);
    find_number(t, 1, INTEGRITY_COLUMNS);
    find_number(t, 1, INTEGRITY_COLUMNS);
    assert_int_equal(count_jobs(t), 1); /* the first has not ended */
    struct job job;
    assert_int_equal(job_claim(&t->arena, t->writer, STR("reindex"), &job, &err), 1);
    assert_string_equal(job.options.p, "{\"version\":1}");
    assert_true(job_finish(t->writer, job.id, JOB_FAILED, STR("{}"), STR(""), &err));
    find_number(t, 1, INTEGRITY_COLUMNS);
    assert_int_equal(count_jobs(t), 2); /* the disk was full, say */
    assert_int_equal(job_claim(&t->arena, t->writer, STR("reindex"), &job, &err), 1);
    struct dataset_version version = version_of(t, 1);
    assert_true(integrity_store_reindexed(t->writer, &version, job.id, STR("{}"), &err));
    assert_int_equal(temp_db_job(t, job.id).state, JOB_SUCCEEDED);
    assert_int_equal(version_of(t, 1).damaged, 0);
    find_number(t, 1, INTEGRITY_ROWS);
    assert_int_equal(count_jobs(t), 3);
    assert_int_equal(job_claim(&t->arena, t->writer, STR("reindex"), &job, &err), 1);
    assert_true(job_finish(t->writer, job.id, JOB_FAILED, STR("{}"), STR(""), &err));
    find_number(t, 1, INTEGRITY_ROWS);
    assert_int_equal(count_jobs(t), 3); /* nothing new, and nothing to mend */
}

static void
what_was_not_checked_since_the_start_is_next(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct integrity_schedule schedule = {START, 3600000, 3600000};
    struct str name;
    struct dataset_version version;
    bool is_due, is_waiting;
    publish(t);
    publish(t);
    for (int64_t number = 2; number >= 1; number--) {
        assert_true(integrity_is_due(t->db, &schedule, &is_due, &err) && is_due);
        assert_int_equal(integrity_next(&t->arena, t->db, &schedule, &name, &version, &err), 1);
        assert_int_equal(version.number, number); /* the current one first */
        assert_true(integrity_is_waiting(t->db, START, &is_waiting, &err));
        assert_int_equal(is_waiting, number == 2);
        find(t, &version, 0);
    }
    assert_true(integrity_is_due(t->db, &schedule, &is_due, &err) && !is_due);
    assert_true(integrity_doubt(t->writer, &version, &err));
    assert_int_equal(integrity_next(&t->arena, t->db, &schedule, &name, &version, &err), 1);
    assert_int_equal(version.number, 1);
    find(t, &version, 0);
    /* A clock that was ahead does not put the next check off. */
    temp_db_exec(t, "UPDATE dataset_version SET checked_at = checked_at + 86400000 * 400");
    assert_true(integrity_is_due(t->db, &schedule, &is_due, &err) && is_due);
    /* What this start published it has not to check. */
    assert_true(integrity_begin(t->writer, START, &err));
    publish(t);
    assert_int_equal(version_of(t, 3).checked_start, START);
}

static void
a_job_that_met_damage_has_that_version_checked(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct integrity_schedule schedule = {START, 3600000, 3600000};
    struct str name;
    struct dataset_version version;
    bool is_due;
    for (int64_t number = 1; number <= 3; number++)
        find_number(t, publish(t), 0);
    struct str folder = version_of(t, 2).job_id;
    version = version_of(t, 2);
    assert_false(EMBEDDED_FILES.check_rows(((struct temp_dir *)t->dir)->path, &version, &err));
    assert_string_equal(err_code(&err), INTEGRITY_ROWS_DAMAGED);
    assert_true(str_eq(str_from(err.name), folder));
    assert_true(integrity_doubt_rows(t->writer, str_from(err.name), &err));
    assert_int_equal(integrity_next(&t->arena, t->db, &schedule, &name, &version, &err), 1);
    assert_int_equal(version.number, 2);
    find(t, &version, INTEGRITY_ROWS);
    assert_true(integrity_is_due(t->db, &schedule, &is_due, &err) && !is_due);
    /* The job that tells of it tells nothing new. */
    assert_true(integrity_doubt_rows(t->writer, folder, &err));
    assert_true(integrity_is_due(t->db, &schedule, &is_due, &err) && !is_due);
}

static void
versions_without_rows_are_dropped_first(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct dataset_version *versions;
    size_t count;
    for (int i = 0; i < 4; i++)
        publish(t);
    find_number(t, 3, INTEGRITY_ROWS);
    publish(t);
    assert_true(dataset_version_list(&t->arena, t->db, STR("books"), &versions, &count, &err));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_not_equal(versions[i].number, 3);
}

/* Every byte of a file turned, one at a time: the check finds it, or nobody reads it. */
static void
no_byte_that_is_read_turns_unnoticed(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    const struct columns_spec specs[] = {{COLUMN_INTEGER, 0}, {COLUMN_TEXT, 64}};
    struct column_summary summaries[2];
    scoped_fd fd = fs_open_at(AT_FDCWD, temp_path(t->dir, "columns"), O_RDWR | O_CREAT, &err);
    struct columns_builder *b = columns_build_begin(fd, specs, 2, 3, &err);
    for (int64_t i = 0; b && i < 3; i++)
        assert_true(
            columns_build_add(b, (struct value[]){{.i = i}, {.text = STR("some text")}}, &err));
    assert_true(b && columns_build_finish(&b, summaries, &err));
    assert_true(columns_check(fd, 3, &err));
    assert_false(columns_check(fd, 4, &err));
    uint64_t bytes, unread = 0;
    assert_true(fs_size(fd, &bytes, &err));
    struct columns columns;
    assert_true(columns_open(&t->arena, &columns, fd, &err));
    for (uint64_t at = 0; at < bytes; at++) {
        char was, turned;
        assert_true(fs_read_at(fd, &was, 1, at, &err));
        turned = (char)(was ^ 1);
        assert_true(fs_write_at(fd, (struct str){&turned, 1}, at, &err));
        bool is_found = !columns_check(fd, 3, &err);
        /* What is mapped are the bytes of the file, so this reads them as they are now. */
        bool reads_well = columns_verify(&columns, &err);
        assert_true(is_found || reads_well);
        unread += !is_found;
        assert_true(fs_write_at(fd, (struct str){&was, 1}, at, &err));
    }
    assert_true(unread < bytes);
    columns_close(&columns);
    for (uint64_t left = 0; left < bytes; left += 40) {
        assert_int_equal(ftruncate(fd, (off_t)left), 0);
        assert_false(columns_check(fd, 3, &err));
    }
}

static void
names_of_files_are_read_as_they_are_written(void **state)
{
    struct temp_db *t = *state;
    for (unsigned files = 0; files < 16; files++)
        assert_int_equal(integrity_files_parse(integrity_files_words(&t->arena, files)), files);
    assert_string_equal(integrity_files_words(&t->arena, INTEGRITY_ROWS | INTEGRITY_COLUMNS).p,
                        ROWS_FILE_NAME " " COLUMNS_FILE_NAME);
    assert_string_equal(
        integrity_files_words(&t->arena, INTEGRITY_TRIGRAMS | INTEGRITY_TFIDF).p,
        TRIGRAMS_FILE_NAME " " TFIDF_FILE_NAME);
    assert_string_equal(integrity_files_words(&t->arena, INTEGRITY_ROWS | INTEGRITY_TFIDF).p,
                        "rows.db tfidf");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(the_newest_whole_version_below_stands_in),
        DB_TEST(a_newer_one_stands_in_where_no_older_is_whole),
        DB_TEST(who_publishes_or_rolls_back_wants_that_version),
        DB_TEST(who_rolls_back_to_an_unchecked_version_has_it_checked_next),
        DB_TEST(an_old_finding_does_not_count),
        DB_TEST(damage_found_during_a_reindex_stands),
        DB_TEST(files_are_opened_anew_when_and_only_when_they_changed),
        DB_TEST(one_job_mends_and_one_tells_of_lost_rows),
        DB_TEST(what_was_not_checked_since_the_start_is_next),
        DB_TEST(a_job_that_met_damage_has_that_version_checked),
        DB_TEST(versions_without_rows_are_dropped_first),
        DB_TEST(no_byte_that_is_read_turns_unnoticed),
        DB_TEST(names_of_files_are_read_as_they_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
