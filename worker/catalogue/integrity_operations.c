/* What the findings about files do to the catalogue; run by the writer, inside its transaction
 * (see writer.h).  Damage, the version that answers instead, and the job that mends are one
 * step: nobody sees one without the others. */
#include "base/clock.h"
#include "catalogue/integrity.h"
#include "catalogue/version_file.h"
#include "writer/wire.h"

static bool
run_begin(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    scoped_stmt s = db_stmt(db, "integrity_begin");
    stmt_bind_i64(s, 1, (int64_t)wire_u64(&w));
    return wire_end(&w, err) && stmt_run(s, err);
}

static bool
find_stand_in(struct db *db, int64_t dataset_id, int64_t wanted, int64_t *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_stand_in");
    stmt_bind_i64(s, 1, dataset_id);
    stmt_bind_i64(s, 2, wanted);
    int got = stmt_step(s, err);
    /* Where none is whole it stays with the wanted one, which is refused. */
    *out = got == 1 ? stmt_i64(s, 0) : wanted;
    return got >= 0;
}

/* Makes that version current which should be, as the versions are now. */
static bool
settle(struct db *db, int64_t dataset_id, int64_t *current, struct err *err)
{
    int64_t wanted, before, is_wanted_gone;
    {
        scoped_stmt s = db_stmt(db, "integrity_wanted");
        stmt_bind_i64(s, 1, dataset_id);
        if (stmt_step(s, err) != 1)
            return false;
        wanted = stmt_i64(s, 0);
        before = stmt_i64(s, 1);
        is_wanted_gone = stmt_i64(s, 2);
    }
    if (!find_stand_in(db, dataset_id, wanted, current, err))
        return false;
    if (*current == before && !is_wanted_gone)
        return true;
    scoped_stmt s = db_stmt(db, "integrity_set_version");
    stmt_bind_i64(s, 1, dataset_id);
    stmt_bind_i64(s, 2, *current);
    stmt_bind_i64(s, 3, *current == wanted ? 0 : wanted);
    stmt_bind_i64(s, 4, clock_now_ms());
    return stmt_run(s, err);
}

static bool
has_job(struct db *db, struct str dataset, int64_t number, int64_t *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_has_job");
    stmt_bind_str(s, 1, dataset);
    stmt_bind_i64(s, 2, number);
    return stmt_run_i64(s, out, err);
}

/* A job for each damage: it mends what can be, and of lost rows it says so where people look.
 */
static bool
enqueue(struct arena *a, struct db *db, struct str dataset, int64_t number, struct str job_id,
        struct err *err)
{
    int64_t is_there;
    if (!has_job(db, dataset, number, &is_there, err))
        return false;
    if (is_there)
        return true;
    struct job job = {.id = job_id,
                      .kind = STR("reindex"),
                      .dataset = dataset,
                      .label = STR(""),
                      .source = STR(""),
                      .options = arena_printf(a, "{\"version\":%lld}", (long long)number),
                      .request_id = STR("")};
    return job_enqueue_in(db, &job, err);
}

struct stored { /* the arguments of integrity_store */
    int64_t dataset_id, number, edition, start;
    unsigned damaged;
    int64_t rows_checksum;
    struct str job_id;
};

/* The dataset's name, what was damaged, and the job whose version.json waits for a checksum (""
 * else); 0 when the finding is of files that were replaced
 * meanwhile, -1 error. */
static int
read_before(struct arena *a, struct db *db, const struct stored *stored, struct str *dataset,
            unsigned *damaged, struct str *unsummed_job, struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_version");
    stmt_bind_i64(s, 1, stored->dataset_id);
    stmt_bind_i64(s, 2, stored->number);
    stmt_bind_i64(s, 3, stored->edition);
    int got = stmt_step(s, err);
    if (got == 1) {
        *dataset = arena_str(a, stmt_str(s, 0));
        *damaged = integrity_files_parse(stmt_str(s, 1));
        *unsummed_job = arena_str(a, stmt_str(s, 2));
    }
    return got;
}

static bool
store(struct arena *a, struct db *db, const struct stored *stored, struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_store");
    stmt_bind_i64(s, 1, stored->dataset_id);
    stmt_bind_i64(s, 2, stored->number);
    stmt_bind_str(s, 3, integrity_files_words(a, stored->damaged));
    stmt_bind_i64(s, 4, clock_now_ms());
    stmt_bind_i64(s, 5, stored->rows_checksum);
    stmt_bind_i64(s, 6, stored->start);
    return stmt_run(s, err);
}

/* Before the commit, as a publication does: after a kill the next check finds the same again.
 */
static bool
write_checksum(struct db *db, const struct stored *stored, struct str unsummed_job,
               struct err *err)
{
    struct db_identity identity;
    if (unsummed_job.n == 0 || stored->rows_checksum == 0)
        return true;
    return db_read_identity(db, &identity, err) &&
           version_file_write(db, &identity, stored->dataset_id, unsummed_job, err);
}

static bool
run_store(struct db *db, struct str request, struct buf *reply, struct err *err)
{
    struct wire w = {.rest = request};
    struct stored stored = {.dataset_id = (int64_t)wire_u64(&w)};
    stored.number = (int64_t)wire_u64(&w);
    stored.edition = (int64_t)wire_u64(&w);
    stored.start = (int64_t)wire_u64(&w);
    stored.damaged = (unsigned)wire_u64(&w);
    stored.rows_checksum = (int64_t)wire_u64(&w);
    stored.job_id = wire_str(&w);
    if (!wire_end(&w, err))
        return false;
    scoped_arena a = {0};
    struct str dataset, unsummed_job;
    unsigned before;
    int64_t current = 0;
    int got = read_before(&a, db, &stored, &dataset, &before, &unsummed_job, err);
    if (got == 1) {
        bool is_new = stored.damaged & ~before;
        bool is_mendable = stored.damaged && !(stored.damaged & INTEGRITY_ROWS);
        if (!store(&a, db, &stored, err) || !settle(db, stored.dataset_id, &current, err) ||
            ((is_new || is_mendable) &&
             !enqueue(&a, db, dataset, stored.number, stored.job_id, err)) ||
            !write_checksum(db, &stored, unsummed_job, err))
            return false;
    }
    wire_add_u64(reply, (uint64_t)current);
    return got >= 0;
}

static bool
run_store_reindexed(struct db *db, struct str request, struct buf *reply UNUSED,
                    struct err *err)
{
    struct wire w = {.rest = request};
    int64_t dataset_id = (int64_t)wire_u64(&w), number = (int64_t)wire_u64(&w);
    int64_t edition = (int64_t)wire_u64(&w), current;
    struct str job_id = wire_str(&w), receipt = wire_str(&w);
    scoped_stmt s = db_stmt(db, "integrity_store_reindexed");
    stmt_bind_i64(s, 1, dataset_id);
    stmt_bind_i64(s, 2, number);
    stmt_bind_i64(s, 3, clock_now_ms());
    stmt_bind_i64(s, 4, edition);
    return wire_end(&w, err) && stmt_run(s, err) && settle(db, dataset_id, &current, err) &&
           (job_id.n == 0 || job_finish_in(db, job_id, JOB_SUCCEEDED, STR(""), receipt, err));
}

static bool
run_doubt(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    scoped_stmt s = db_stmt(db, "integrity_doubt");
    for (int i = 1; i <= 3; i++)
        stmt_bind_i64(s, i, (int64_t)wire_u64(&w));
    return wire_end(&w, err) && stmt_run(s, err);
}

static bool
run_doubt_rows(struct db *db, struct str request, struct buf *reply UNUSED, struct err *err)
{
    struct wire w = {.rest = request};
    scoped_stmt s = db_stmt(db, "integrity_doubt_rows");
    stmt_bind_str(s, 1, wire_str(&w));
    return wire_end(&w, err) && stmt_run(s, err);
}

const struct operation INTEGRITY_OPERATIONS[] = {
    {.name = "integrity_begin", .run_bytes = run_begin},
    {.name = "integrity_store", .run_bytes = run_store},
    {.name = "integrity_store_reindexed", .run_bytes = run_store_reindexed},
    {.name = "integrity_doubt", .run_bytes = run_doubt},
    {.name = "integrity_doubt_rows", .run_bytes = run_doubt_rows},
    {0},
};
