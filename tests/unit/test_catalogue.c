/* The catalogue: publishing, rolling back, keeping versions and sweeping folders. */
#include "catalogue/data_state.h"
#include "catalogue/guard.h"
#include "catalogue/version_file.h"
#include "import/import.h"
#include "temp_db.h"

#include <string.h>
#include <sys/stat.h>

static int64_t
ensure(struct temp_db *t, const char *name)
{
    struct err err = {0};
    int64_t id = 0;
    if (!dataset_ensure(t->writer, str_from(name), true, &id, &err))
        fail_msg("%s", err.detail);
    return id;
}

static const char *
folder_of(struct temp_db *t, int64_t dataset_id, struct str job_id)
{
    return arena_printf(&t->arena, "%s/datasets/%lld/%" STR_FMT,
                        ((struct temp_dir *)t->dir)->path, (long long)dataset_id,
                        STR_ARG(job_id))
        .p;
}

static bool
exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static const char *
rows_of(struct temp_db *t, int64_t dataset_id, struct str job_id)
{
    return arena_printf(&t->arena, "%s/rows.db", folder_of(t, dataset_id, job_id)).p;
}

static struct str
start_import(struct temp_db *t, const char *dataset)
{
    struct err err = {0};
    struct str id = temp_db_enqueue(t, dataset);
    struct job job;
    int64_t dataset_id = ensure(t, dataset);
    assert_int_equal(job_claim_one(&t->arena, t->writer, id, &job, &err), 1);
    assert_true(fs_make_dirs(folder_of(t, dataset_id, id), &err));
    assert_true(fs_replace_file(AT_FDCWD, rows_of(t, dataset_id, id), STR("rows"), 0600, &err));
    return id;
}

static int64_t
count_of(struct temp_db *t)
{
    struct err err = {0};
    struct db_identity identity;
    assert_true(db_read_identity(t->db, &identity, &err));
    return identity.catalogue_seq;
}

static int64_t
count_in_state(struct temp_db *t)
{
    struct err err = {0};
    struct db_identity state = {.catalogue_seq = -1};
    int got = data_state_read(((struct temp_dir *)t->dir)->path, &state, &err);
    return got == 1 ? state.catalogue_seq : got - 1;
}

/* What a sweep says of folders that it keeps. */
static struct str
sweep(struct temp_db *t, int64_t spool_kept_ms)
{
    struct err err = {0};
    scoped_buf kept;
    buf_init(&kept, 4 * KIB);
    if (!dataset_sweep(t->db, &EMBEDDED_FILES, ((struct temp_dir *)t->dir)->path, spool_kept_ms,
                       &kept, &err))
        fail_msg("%s", err.detail);
    return arena_str(&t->arena, buf_str(&kept));
}

static struct dataset_publication
publication_of(struct str job_id, const char *dataset)
{
    return (struct dataset_publication){
        .dataset = str_from(dataset),
        .job_id = job_id,
        .schema_json = STR("{\"columns\":[]}"),
        .summaries_json = STR("[]"),
        .source_sha256 = STR("00ff"),
        .source = STR("games.csv"),
        .label = STR("sample"),
        .receipt_json = STR("{\"rows\":3,\"price\":0.1}"),
        .base_version = DATASET_ANY_BASE,
        .row_count = 3,
        .source_bytes = 99,
        .kept = 2,
    };
}

static int64_t
import(struct temp_db *t, const char *dataset)
{
    struct err err = {0};
    int64_t number = 0;
    struct dataset_publication p = publication_of(start_import(t, dataset), dataset);
    if (!dataset_publish(t->writer, &p, &number, &err))
        fail_msg("%s", err.detail);
    return number;
}

static void
a_dataset_is_made_once(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t id = ensure(t, "games"), again;
    assert_true(dataset_ensure(t->writer, STR("games"), false, &again, &err));
    assert_int_equal(again, id);
    assert_int_not_equal(ensure(t, "sales"), id);
    struct dataset games;
    assert_true(dataset_get(&t->arena, t->db, STR("games"), &games, &err));
    assert_true(!games.is_public && games.version == 0 && games.created_at > 0);
}

static void
a_dataset_is_listed_once_it_was_published(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct dataset *list;
    size_t count;
    ensure(t, "waiting");
    import(t, "sales");
    import(t, "games");
    assert_true(dataset_list(&t->arena, t->db, &list, &count, &err));
    assert_int_equal(count, 2);
    assert_true(str_eq(list[0].name, STR("games")) && str_eq(list[1].name, STR("sales")));
}

static void
an_unknown_dataset_is_named_with_the_nearest(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct dataset dataset;
    import(t, "games");
    assert_false(dataset_get(&t->arena, t->db, STR("game"), &dataset, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_non_null(strstr(err.detail, "did you mean 'games'?"));
    assert_false(dataset_get(&t->arena, t->db, STR("something_else"), &dataset, &err));
    assert_null(strstr(err.detail, "did you mean"));
}

static void
publishing_makes_the_version_current_and_finishes_the_job(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct dataset_version v;
    ensure(t, "games");
    assert_false(dataset_version_get(&t->arena, t->db, STR("games"), 0, &v, &err));
    assert_string_equal(err_code(&err), "nothing_published");
    struct dataset_publication p = publication_of(start_import(t, "games"), "games");
    int64_t number = 0;
    assert_true(dataset_publish(t->writer, &p, &number, &err));
    assert_int_equal(number, 1);
    assert_true(dataset_version_get(&t->arena, t->db, STR("games"), 0, &v, &err));
    assert_true(v.number == 1 && v.is_current && v.row_count == 3 && v.source_bytes == 99);
    assert_true(str_eq(v.job_id, p.job_id) && str_eq(v.schema_json, p.schema_json));
    assert_true(str_eq(v.summaries_json, p.summaries_json) && str_eq(v.label, p.label));
    struct job job = temp_db_job(t, p.job_id);
    assert_int_equal(job.state, JOB_SUCCEEDED);
    assert_true(str_eq(job.result, STR("{\"rows\":3,\"price\":0.1,\"version\":1}")));
    assert_false(dataset_version_get(&t->arena, t->db, STR("games"), 7, &v, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void
a_refused_publication_changes_nothing(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t number = 0;
    assert_int_equal(import(t, "games"), 1);
    struct str id = start_import(t, "games");
    struct dataset_publication p = publication_of(id, "games");
    p.base_version = 0;
    assert_false(dataset_publish(t->writer, &p, &number, &err));
    assert_string_equal(err_code(&err), "base_changed");
    p.base_version = 1;
    assert_true(fs_remove_tree(AT_FDCWD, folder_of(t, ensure(t, "games"), id), &err));
    assert_false(dataset_publish(t->writer, &p, &number, &err));
    assert_int_equal(err.kind, ERR_INTERNAL);
    assert_true(fs_make_dirs(folder_of(t, ensure(t, "games"), id), &err));
    p.receipt_json = STR("not json"); /* fails last, when all else was done */
    assert_false(dataset_publish(t->writer, &p, &number, &err));
    assert_true(job_cancel(t->writer, id, &err));
    p.receipt_json = STR("{}");
    assert_false(dataset_publish(t->writer, &p, &number, &err));
    assert_string_equal(err_code(&err), "cancelled");
    struct dataset_version *list;
    size_t count;
    assert_true(dataset_version_list(&t->arena, t->db, STR("games"), &list, &count, &err));
    assert_true(count == 1 && list[0].number == 1 && list[0].is_current);
    assert_int_equal(temp_db_job(t, id).state, JOB_RUNNING);
}

static void
an_append_publishes_on_the_version_it_was_made_from(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t number = 0;
    assert_int_equal(import(t, "games"), 1);
    struct dataset_publication p = publication_of(start_import(t, "games"), "games");
    p.base_version = 1;
    assert_true(dataset_publish(t->writer, &p, &number, &err));
    assert_int_equal(number, 2);
    assert_false(dataset_publish(t->writer, &p, &number, &err)); /* twice */
    assert_string_equal(err_code(&err), "base_changed");
}

static void
the_versions_beyond_the_kept_ones_are_gone(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    for (int64_t i = 1; i <= 5; i++)
        assert_int_equal(import(t, "games"), i);
    struct dataset_version *list, v;
    size_t count;
    assert_true(dataset_version_list(&t->arena, t->db, STR("games"), &list, &count, &err));
    assert_int_equal(count, 3); /* the current one and two beside it */
    assert_true(list[0].number == 5 && list[0].is_current && list[2].number == 3);
    assert_false(dataset_version_get(&t->arena, t->db, STR("games"), 2, &v, &err));
    assert_int_equal(err.kind, ERR_GONE);
    assert_true(dataset_version_get(&t->arena, t->db, STR("games"), 3, &v, &err));
    assert_false(v.is_current);
}

static void
rolling_back_makes_an_older_version_current(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t current = 0;
    for (int i = 0; i < 4; i++)
        import(t, "games");
    assert_true(dataset_rollback(t->writer, STR("games"), 0, &current, &err));
    assert_int_equal(current, 3);
    assert_true(dataset_rollback(t->writer, STR("games"), 0, &current, &err));
    assert_int_equal(current, 2);
    assert_false(dataset_rollback(t->writer, STR("games"), 0, &current, &err));
    assert_string_equal(err_code(&err), "no_previous_version");
    assert_false(dataset_rollback(t->writer, STR("games"), 1, &current, &err));
    assert_int_equal(err.kind, ERR_GONE);
    assert_false(dataset_rollback(t->writer, STR("games"), 9, &current, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
    assert_true(dataset_rollback(t->writer, STR("games"), 4, &current, &err)); /* and forth */
    assert_true(dataset_rollback(t->writer, STR("games"), 2, &current, &err));
    /* The next number is above all that ever were; the current one is never dropped. */
    assert_int_equal(import(t, "games"), 5);
    struct dataset_version *list;
    size_t count;
    assert_true(dataset_version_list(&t->arena, t->db, STR("games"), &list, &count, &err));
    assert_true(count == 3 && list[0].number == 5 && list[1].number == 4 &&
                list[2].number == 3);
}

#define UNKNOWN_JOB                                                                            \
    ": the database does not know its job; put the database that knows it back, or stop the "  \
    "service and run playmeter adopt, or remove it if nobody wants it\n"

static void
the_sweep_removes_what_nobody_names(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t id = ensure(t, "games");
    assert_int_equal(sweep(t, 0).n, 0); /* no folder at all yet */
    for (int i = 0; i < 4; i++)
        import(t, "games");
    struct str running = start_import(t, "sales"), failed = start_import(t, "other");
    assert_true(job_finish(t->writer, failed, JOB_FAILED, STR("{}"), STR(""), &err));
    const char *unknown = folder_of(t, id, STR("0123456789abcdef0123"));
    const char *foreign = folder_of(t, id, STR("notes"));
    const char *capital = folder_of(t, id, STR("0123456789ABCDEF0123"));
    const char *wrong_dataset = folder_of(t, id, running);
    assert_true(fs_make_dirs(unknown, &err) && fs_make_dirs(foreign, &err) &&
                fs_make_dirs(capital, &err) && fs_make_dirs(wrong_dataset, &err));
    assert_string_equal(sweep(t, 0).p, "datasets/1/0123456789abcdef0123" UNKNOWN_JOB);
    assert_true(exists(unknown));
    assert_true(exists(foreign) && exists(capital)); /* no names of ours */
    assert_true(exists(folder_of(t, ensure(t, "sales"), running)));
    assert_false(exists(folder_of(t, ensure(t, "other"), failed)));
    struct dataset_version *list;
    size_t count;
    assert_true(dataset_version_list(&t->arena, t->db, STR("games"), &list, &count, &err));
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++)
        assert_true(exists(folder_of(t, id, list[i].job_id)));
}

static void
the_sweep_keeps_a_spool_as_long_as_stated(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct temp_dir *dir = t->dir;
    struct str finished = temp_db_enqueue(t, "games"), waiting = temp_db_enqueue(t, "games");
    assert_true(job_finish(t->writer, finished, JOB_FAILED, STR("{}"), STR(""), &err));
    scoped_arena a = {0};
    const char *of_finished =
        temp_path(dir, arena_printf(&a, "spool/%" STR_FMT, STR_ARG(finished)).p);
    const char *of_waiting =
        temp_path(dir, arena_printf(&a, "spool/%" STR_FMT, STR_ARG(waiting)).p);
    const char *fresh = temp_path(dir, "spool/0123456789abcdef0123");
    const char *stale = temp_path(dir, "spool/0123456789abcdef4567");
    const char *lost = temp_path(dir, "spool/0123456789abcdef89ab");
    assert_true(fs_make_dirs(of_finished, &err) && fs_make_dirs(of_waiting, &err));
    assert_true(fs_make_dirs(fresh, &err) && fs_make_dirs(stale, &err) &&
                fs_make_dirs(lost, &err));
    /* An upload that was cut off before its job came into the queue. */
    const char *mark = temp_path(dir, "spool/0123456789abcdef4567/" DATASET_ARRIVING_MARK);
    assert_true(fs_replace_file(AT_FDCWD, mark, STR(""), 0600, &err));
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, stale, long_ago, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, lost, long_ago, 0), 0);
    const char *told = "spool/0123456789abcdef89ab" UNKNOWN_JOB;
    assert_string_equal(sweep(t, 60000).p, told);
    assert_true(exists(of_finished) && exists(of_waiting) && exists(fresh) && exists(lost));
    assert_false(exists(stale));
    temp_db_exec(t, "UPDATE job SET finished_at = 1 WHERE finished_at <> 0");
    assert_string_equal(sweep(t, 60000).p, told);
    assert_false(exists(of_finished));
    assert_true(exists(of_waiting) && exists(fresh));
}

static void
the_sweep_removes_partial_sources_of_jobs_that_do_not_run(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct job job;
    scoped_arena a = {0};
    struct str ids[] = {temp_db_enqueue(t, "running"), temp_db_enqueue(t, "finished"),
                        temp_db_enqueue(t, "waiting")};
    const char *partial[COUNT_OF(ids)], *whole[COUNT_OF(ids)];
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        const char *folder =
            temp_path(t->dir, arena_printf(&a, "spool/%" STR_FMT, STR_ARG(ids[i])).p);
        partial[i] = arena_printf(&a, "%s/" DATASET_PARTIAL_SOURCE, folder).p;
        whole[i] = arena_printf(&a, "%s/source", folder).p;
        assert_true(fs_make_dirs(folder, &err));
        assert_true(fs_replace_file(AT_FDCWD, partial[i], STR("id,te"), 0600, &err));
        assert_true(fs_replace_file(AT_FDCWD, whole[i], STR("id,text"), 0600, &err));
    }
    assert_int_equal(job_claim_one(&a, t->writer, ids[0], &job, &err), 1);
    assert_true(job_finish(t->writer, ids[1], JOB_FAILED, STR("{}"), STR(""), &err));
    assert_int_equal(sweep(t, 60000).n, 0);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_int_equal(exists(partial[i]), i == 0);
        assert_true(exists(whole[i]));
    }
}

static void
a_version_whose_files_are_gone_is_not_rolled_back_to(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t current = 0;
    struct dataset_version v;
    for (int i = 0; i < 3; i++)
        import(t, "games");
    assert_true(dataset_version_get(&t->arena, t->db, STR("games"), 2, &v, &err));
    assert_int_equal(unlink(rows_of(t, v.dataset_id, v.job_id)), 0);
    for (int64_t number = 0; number <= 2; number += 2) {
        assert_false(dataset_rollback(t->writer, STR("games"), number, &current, &err));
        assert_string_equal(err_code(&err), "files_gone");
        assert_int_equal(err.kind, ERR_GONE);
    }
    assert_true(
        fs_replace_file(AT_FDCWD, rows_of(t, v.dataset_id, v.job_id), STR(""), 0600, &err));
    assert_false(dataset_rollback(t->writer, STR("games"), 2, &current, &err)); /* emptied */
    assert_true(dataset_rollback(t->writer, STR("games"), 1, &current, &err));
    assert_int_equal(current, 1);
}

static void
the_folder_says_what_the_catalogue_says(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct version_file file;
    struct db_identity identity;
    struct dataset_publication p = publication_of(start_import(t, "games"), "games");
    int64_t number;
    p.source = STR("https://example.com/games.csv");
    p.receipt_json = STR("{\"source\":\"https://example.com/games.csv\"}");
    p.rows_checksum = UINT64_MAX - 5;
    assert_true(dataset_publish(t->writer, &p, &number, &err));
    assert_true(db_read_identity(t->db, &identity, &err));
    const char *parent =
        arena_printf(&t->arena, "%s/datasets/1", ((struct temp_dir *)t->dir)->path).p;
    scoped_fd dir = fs_open_at(AT_FDCWD, parent, O_RDONLY | O_DIRECTORY, &err);
    assert_int_equal(version_file_read(&t->arena, dir, p.job_id, &file, &err), 1);
    assert_true(str_eq(file.directory_id, str_from(identity.directory_id)));
    assert_int_equal(file.catalogue_seq, 1);
    assert_true(str_eq(file.dataset, STR("games")) && file.is_public);
    assert_true(file.version.number == 1 && file.version.row_count == 3 &&
                file.version.source_bytes == 99 && file.version.created_at > 0);
    assert_true(str_eq(file.version.schema_json, p.schema_json));
    assert_true(str_eq(file.version.summaries_json, p.summaries_json));
    assert_true(str_eq(file.version.source_sha256, p.source_sha256));
    assert_true(str_eq(file.version.label, p.label));
    assert_true(file.version.rows_checksum == UINT64_MAX - 5);
    assert_true(str_eq(file.version.source, STR("https://example.com/games.csv")));
    assert_true(str_eq(file.receipt_json,
                       STR("{\"source\":\"https://example.com/games.csv\",\"version\":1}")));
}

static void
the_state_follows_the_commits(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t number, current;
    const char *data_dir = ((struct temp_dir *)t->dir)->path;
    assert_int_equal(count_in_state(t), -1);
    assert_true(guard_take(t->db, data_dir, &err));
    assert_int_equal(count_in_state(t), 0);
    import(t, "games");
    import(t, "games");
    assert_true(count_of(t) == 2 && count_in_state(t) == 2);
    struct dataset_publication p = publication_of(start_import(t, "games"), "games");
    p.base_version = 1;
    assert_false(dataset_publish(t->writer, &p, &number, &err));
    assert_true(count_of(t) == 2 && count_in_state(t) == 2);
    assert_true(dataset_rollback(t->writer, STR("games"), 0, &current, &err));
    assert_true(count_of(t) == 3 && count_in_state(t) == 3);
    /* A kill between commit and state; the next who opens the database makes up for it. */
    temp_db_exec(t, "UPDATE data_directory SET catalogue_seq = 4");
    assert_true(guard_take(t->db, data_dir, &err));
    assert_int_equal(count_in_state(t), 4);
    temp_db_exec(t, "UPDATE data_directory SET catalogue_seq = 3");
    assert_false(guard_take(t->db, data_dir, &err));
    assert_string_equal(err_code(&err), "wrong_database");
    assert_int_equal(count_in_state(t), 4);
}

static void
an_attempt_ahead_of_the_database_is_no_newer_version(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    const char *data_dir = ((struct temp_dir *)t->dir)->path;
    import(t, "games");
    struct dataset_publication p = publication_of(start_import(t, "games"), "games");
    int64_t number;
    scoped_tx tx = {0};
    assert_true(guard_take(t->db, data_dir, &err));
    assert_true(db_begin(t->db, &tx, &err));
    /* As in the writer, which is killed before the commit. */
    scoped_buf request, reply;
    buf_init(&request, MIB);
    buf_init(&reply, KIB);
    codec_add(&request, &DATASET_PUBLICATION, &p);
    const struct operation *publish = writer_operation_find(
        TEMP_OPERATIONS, COUNT_OF(TEMP_OPERATIONS), STR("dataset_publish"));
    assert_true(
        writer_operation_run(publish, &t->arena, t->db, buf_str(&request), &reply, &err));
    db_rollback(&tx);
    assert_true(count_of(t) == 1 && count_in_state(t) == 1);
    assert_true(guard_take(t->db, data_dir, &err));
    assert_true(dataset_publish(t->writer, &p, &number, &err));
    assert_true(number == 2 && count_in_state(t) == 2);
    /* Without the state nobody can tell it from a version of later. */
    temp_db_exec(t, "UPDATE data_directory SET catalogue_seq = 1");
    assert_int_equal(unlink(temp_path(t->dir, "state")), 0);
    assert_false(guard_take(t->db, data_dir, &err));
    assert_string_equal(err_code(&err), "wrong_database");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(a_dataset_is_made_once),
        DB_TEST(a_dataset_is_listed_once_it_was_published),
        DB_TEST(an_unknown_dataset_is_named_with_the_nearest),
        DB_TEST(publishing_makes_the_version_current_and_finishes_the_job),
        DB_TEST(a_refused_publication_changes_nothing),
        DB_TEST(an_append_publishes_on_the_version_it_was_made_from),
        DB_TEST(the_versions_beyond_the_kept_ones_are_gone),
        DB_TEST(rolling_back_makes_an_older_version_current),
        DB_TEST(a_version_whose_files_are_gone_is_not_rolled_back_to),
        DB_TEST(the_folder_says_what_the_catalogue_says),
        DB_TEST(the_state_follows_the_commits),
        DB_TEST(an_attempt_ahead_of_the_database_is_no_newer_version),
        DB_TEST(the_sweep_removes_what_nobody_names),
        DB_TEST(the_sweep_keeps_a_spool_as_long_as_stated),
        DB_TEST(the_sweep_removes_partial_sources_of_jobs_that_do_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
