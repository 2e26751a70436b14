/* What the findings about files do to the catalogue: what the writer runs inside its
 * transaction, and the calls of it.  Damage, the version that answers instead, and the job that
 * mends are one step: nobody sees one without the others. */
#include "base/clock.h"
#include "catalogue/integrity.h"
#include "catalogue/version_file.h"

/* The argument of each operation, which takes some of it. */
struct finding {
    int64_t dataset_id, number, edition, start;
    unsigned damaged;
    int64_t rows_checksum;
    struct str job_id, receipt_json;
};

static bool
run_begin(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
          struct err *err)
{
    const struct finding *begun = argument;
    scoped_stmt s = db_stmt(db, "integrity_begin");
    stmt_bind_i64(s, 1, begun->start);
    return stmt_run(s, err);
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

/* A job for each damage: it mends what can be, and of lost rows it says so where people look.
 */
static bool
enqueue(struct arena *a, struct db *db, struct str dataset, int64_t number, struct str job_id,
        struct err *err)
{
    int64_t is_there;
    scoped_stmt s = db_stmt(db, "integrity_has_job");
    stmt_bind_str(s, 1, dataset);
    stmt_bind_i64(s, 2, number);
    if (!stmt_run_i64(s, &is_there, err))
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

/* The dataset's name, what was damaged, and the job whose version.json waits for a checksum (""
 * else); 0 when the finding is of files that were replaced
 * meanwhile, -1 error. */
static int
read_before(struct arena *a, struct db *db, const struct finding *stored, struct str *dataset,
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
run_store(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct finding *stored = argument;
    struct dataset *now = reply;
    struct str dataset, unsummed_job;
    unsigned before;
    int got = read_before(a, db, stored, &dataset, &before, &unsummed_job, err);
    if (got != 1)
        return got == 0;
    bool is_new = stored->damaged & ~before;
    bool is_mendable = stored->damaged && !(stored->damaged & INTEGRITY_ROWS);
    scoped_stmt s = db_stmt(db, "integrity_store");
    stmt_bind_i64(s, 1, stored->dataset_id);
    stmt_bind_i64(s, 2, stored->number);
    stmt_bind_str(s, 3, integrity_files_words(a, stored->damaged));
    stmt_bind_i64(s, 4, clock_now_ms());
    stmt_bind_i64(s, 5, stored->rows_checksum);
    stmt_bind_i64(s, 6, stored->start);
    return stmt_run(s, err) && settle(db, stored->dataset_id, &now->version, err) &&
           (!(is_new || is_mendable) ||
            enqueue(a, db, dataset, stored->number, stored->job_id, err)) &&
           /* Before the commit, as a publication does: after a kill the next check finds the
            * same again. */
           (unsummed_job.n == 0 || stored->rows_checksum == 0 ||
            version_file_write(db, stored->dataset_id, unsummed_job, err));
}

static bool
run_store_reindexed(struct arena *a UNUSED, struct db *db, const void *argument,
                    void *reply UNUSED, struct err *err)
{
    const struct finding *made = argument;
    int64_t current;
    scoped_stmt s = db_stmt(db, "integrity_store_reindexed");
    stmt_bind_i64(s, 1, made->dataset_id);
    stmt_bind_i64(s, 2, made->number);
    stmt_bind_i64(s, 3, clock_now_ms());
    stmt_bind_i64(s, 4, made->edition);
    return stmt_run(s, err) && settle(db, made->dataset_id, &current, err) &&
           (made->job_id.n == 0 ||
            job_finish_in(db, made->job_id, JOB_SUCCEEDED, STR(""), made->receipt_json, err));
}

static bool
run_doubt(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
          struct err *err)
{
    const struct finding *doubted = argument;
    scoped_stmt s = db_stmt(db, "integrity_doubt");
    stmt_bind_i64(s, 1, doubted->dataset_id);
    stmt_bind_i64(s, 2, doubted->number);
    stmt_bind_i64(s, 3, doubted->edition);
    return stmt_run(s, err);
}

static bool
run_doubt_rows(struct arena *a UNUSED, struct db *db, const void *argument, void *reply UNUSED,
               struct err *err)
{
    const struct finding *doubted = argument;
    scoped_stmt s = db_stmt(db, "integrity_doubt_rows");
    stmt_bind_str(s, 1, doubted->job_id);
    return stmt_run(s, err);
}

#define MEMBER(name) CODEC_FIELD(struct finding, name)
#define VERSION MEMBER(dataset_id), MEMBER(number), MEMBER(edition)
static const struct codec BEGUN = CODEC(struct finding, MEMBER(start));
static const struct codec STORED =
    CODEC(struct finding, VERSION, MEMBER(start), MEMBER(damaged), MEMBER(rows_checksum),
          MEMBER(job_id));
static const struct codec REINDEXED =
    CODEC(struct finding, VERSION, MEMBER(job_id), MEMBER(receipt_json));
static const struct codec DOUBTED = CODEC(struct finding, VERSION);
static const struct codec JOB = CODEC(struct finding, MEMBER(job_id));
static const struct codec CURRENT = CODEC(struct dataset, CODEC_FIELD(struct dataset, version));

enum { BEGIN, STORE, STORE_REINDEXED, DOUBT, DOUBT_ROWS, OPERATIONS };
const struct operation INTEGRITY_OPERATIONS[OPERATIONS + 1] = {
    [BEGIN] = {.name = "integrity_begin", .argument = &BEGUN, .run = run_begin},
    [STORE] = {.name = "integrity_store",
               .argument = &STORED,
               .reply = &CURRENT,
               .run = run_store},
    [STORE_REINDEXED] = {.name = "integrity_store_reindexed",
                         .argument = &REINDEXED,
                         .run = run_store_reindexed},
    [DOUBT] = {.name = "integrity_doubt", .argument = &DOUBTED, .run = run_doubt},
    [DOUBT_ROWS] = {.name = "integrity_doubt_rows", .argument = &JOB, .run = run_doubt_rows},
};

/* ---- the calls ---- */

bool
integrity_begin(struct writer *w, int64_t start, struct err *err)
{
    return writer_call(w, &INTEGRITY_OPERATIONS[BEGIN], &(struct finding){.start = start}, NULL,
                       err);
}

static struct finding
finding_of(const struct dataset_version *version)
{
    return (struct finding){.dataset_id = version->dataset_id,
                            .number = version->number,
                            .edition = version->edition};
}

bool
integrity_store(struct writer *w, int64_t start, const struct dataset_version *version,
                const struct integrity_finding *finding, struct str job_id, int64_t *current,
                struct err *err)
{
    struct finding stored = finding_of(version);
    struct dataset now;
    stored.start = start;
    stored.damaged = finding->damaged;
    if (!(finding->damaged & INTEGRITY_ROWS))
        stored.rows_checksum = (int64_t)finding->rows_checksum;
    stored.job_id = job_id;
    if (!writer_call(w, &INTEGRITY_OPERATIONS[STORE], &stored, &now, err))
        return false;
    *current = now.version;
    return true;
}

bool
integrity_store_reindexed(struct writer *w, const struct dataset_version *version,
                          struct str job_id, struct str receipt_json, struct err *err)
{
    struct finding made = finding_of(version);
    made.job_id = job_id;
    made.receipt_json = receipt_json;
    return writer_call(w, &INTEGRITY_OPERATIONS[STORE_REINDEXED], &made, NULL, err);
}

bool
integrity_doubt(struct writer *w, const struct dataset_version *version, struct err *err)
{
    struct finding doubted = finding_of(version);
    return writer_call(w, &INTEGRITY_OPERATIONS[DOUBT], &doubted, NULL, err);
}

bool
integrity_doubt_rows(struct writer *w, struct str job_id, struct err *err)
{
    return writer_call(w, &INTEGRITY_OPERATIONS[DOUBT_ROWS],
                       &(struct finding){.job_id = job_id}, NULL, err);
}
