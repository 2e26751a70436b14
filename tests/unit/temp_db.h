/* A migrated playmeter.db in a folder of its own, with a local writer, for each test. */
#pragma once

#include "embedded/files.h"
#include "jobs/job.h"
#include "players/event.h"
#include "players/wallet.h"
#include "reports/archive.h"
#include "store/sqlite.h"
#include "temp_dir.h"

static const struct operation *const TEMP_OPERATIONS[] = {
    JOB_OPERATIONS,   DATASET_OPERATIONS, INTEGRITY_OPERATIONS,
    EVENT_OPERATIONS, WALLET_OPERATIONS,  REPORT_OPERATIONS};

struct temp_db {
    void *dir; /* struct temp_dir */
    struct db *db;
    struct writer *writer;
    struct arena arena;
};

static inline struct db *
temp_db_open(const char *path)
{
    struct err err = {0};
    int count;
    scoped_db empty = db_open(path, DB_MIGRATE, &err);
    if (!empty || !db_migrate(empty, &count, &err))
        fail_msg("%s", err.detail);
    struct db *db = db_open(path, DB_WRITER, &err);
    if (!db)
        fail_msg("%s", err.detail);
    db_take_log(db);
    return db;
}

static inline int
temp_db_set_up(void **state)
{
    struct temp_db *t = calloc(1, sizeof(*t));
    if (!t || temp_set_up(&t->dir))
        return -1;
    t->db = temp_db_open(temp_path(t->dir, "playmeter.db"));
    db_set_context(t->db, &EMBEDDED_FILES);
    t->writer = writer_open_local(t->db, TEMP_OPERATIONS, COUNT_OF(TEMP_OPERATIONS));
    *state = t;
    return 0;
}

static inline int
temp_db_tear_down(void **state)
{
    struct temp_db *t = *state;
    writer_close(&t->writer);
    db_close(&t->db);
    arena_free(&t->arena);
    int failed = temp_tear_down(&t->dir);
    free(t);
    return failed;
}

static inline void
temp_db_exec(struct temp_db *t, const char *sql)
{
    struct err err = {0};
    if (!sqlite_exec(db_handle(t->db), sql, &err))
        fail_msg("%s", err.detail);
}

static inline int64_t
temp_db_number(struct temp_db *t, const char *sql)
{
    struct err err = {0};
    int64_t n;
    if (!sqlite_read_i64(db_handle(t->db), sql, &n, &err))
        fail_msg("%s", err.detail);
    return n;
}

/* Enqueues an import into `dataset`; its id lives in the arena. */
static inline struct str
temp_db_enqueue(struct temp_db *t, const char *dataset)
{
    struct err err = {0};
    char *id = arena_alloc(&t->arena, JOB_ID_DIGITS + 1);
    job_make_id(id);
    struct job job = {.id = str_from(id),
                      .kind = STR("import"),
                      .dataset = str_from(dataset),
                      .label = STR("sample"),
                      .source = STR("games.csv"),
                      .options = STR("{\"mode\":\"replace\"}"),
                      .request_id = STR("r-1"),
                      .bytes_total = 42};
    if (!job_enqueue(t->writer, &job, &err))
        fail_msg("%s", err.detail);
    return job.id;
}

static inline struct job
temp_db_job(struct temp_db *t, struct str id)
{
    struct err err = {0};
    struct job job;
    if (!job_get(&t->arena, t->db, id, &job, &err))
        fail_msg("%s", err.detail);
    return job;
}

#define DB_TEST(f) cmocka_unit_test_setup_teardown(f, temp_db_set_up, temp_db_tear_down)
