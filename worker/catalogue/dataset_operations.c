/* Changing the catalogue: what the writer runs inside its transaction, and the calls of it.
 * Publishing is the one step that makes an import visible: the files are complete and synced
 * before it, and whoever reads the catalogue after it finds them. */
#include "base/clock.h"
#include "catalogue/data_state.h"
#include "catalogue/files.h"
#include "catalogue/version_file.h"
#include "catalogue/version_folder.h"
#include "writer/message.h"

#include <sys/stat.h>

static bool
run_ensure(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct dataset *wanted = argument;
    scoped_stmt s = db_stmt(db, "dataset_ensure");
    stmt_bind_str(s, 1, wanted->name);
    stmt_bind_i64(s, 2, wanted->is_public);
    stmt_bind_i64(s, 3, clock_now_ms());
    return stmt_run(s, err) && dataset_get(a, db, wanted->name, reply, err);
}

static bool
check_base(const struct dataset *dataset, int64_t base_version, struct err *err)
{
    if (base_version < 0 || base_version == dataset->version)
        return true;
    return err_set_code(err, ERR_CONFLICT, "base_changed",
                        "the import adds to version %lld of dataset '%" STR_FMT
                        "', and version %lld is current now",
                        (long long)base_version, STR_ARG(dataset->name),
                        (long long)dataset->version);
}

/* A cancel that was answered before the publication is in time. */
static bool
check_job(struct arena *a, struct db *db, struct str id, struct err *err)
{
    struct job job;
    if (!job_get(a, db, id, &job, err))
        return false;
    if (job.state != JOB_RUNNING)
        return err_set_code(err, ERR_CONFLICT, "job_not_running",
                            "job %" STR_FMT " is %s and cannot publish", STR_ARG(id),
                            job_state_name(job.state));
    if (job.is_cancel_requested)
        return err_set_code(err, ERR_CONFLICT, "cancelled", "job %" STR_FMT " was cancelled",
                            STR_ARG(id));
    return true;
}

/* The folder, in which version.json comes to lie, and not what an engine keeps of the version:
 * the sink said that it is complete, and to be waited for it may be too far away. */
static bool
check_folder(struct arena *a, struct db *db, const struct dataset *dataset, struct str job_id,
             struct err *err)
{
    const char *folder = version_folder_path(a, data_state_dir(a, db), dataset->id, job_id, "");
    struct stat st;
    if (lstat(folder, &st))
        return err_set_errno(err, "the folder %s of the new version", folder);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_INTERNAL, "%s is not a folder", folder);
    return true;
}

bool
dataset_version_insert(struct db *db, const struct dataset_version *v, struct err *err)
{
    scoped_stmt s = db_stmt(db, "dataset_version_insert");
    stmt_bind_i64(s, 1, v->dataset_id);
    stmt_bind_i64(s, 2, v->number);
    stmt_bind_str(s, 3, v->job_id);
    stmt_bind_str(s, 4, v->schema_json);
    stmt_bind_str(s, 5, v->summaries_json);
    stmt_bind_i64(s, 6, v->row_count);
    stmt_bind_str(s, 7, v->source_sha256);
    stmt_bind_str(s, 8, v->source);
    stmt_bind_i64(s, 9, v->source_bytes);
    stmt_bind_str(s, 10, v->label);
    stmt_bind_i64(s, 11, v->created_at);
    stmt_bind_i64(s, 12, (int64_t)v->rows_checksum);
    return stmt_run(s, err);
}

/* With the next number. */
static bool
insert_published(struct db *db, int64_t dataset_id, const struct dataset_publication *p,
                 int64_t *number, struct err *err)
{
    scoped_stmt next = db_stmt(db, "dataset_version_next");
    stmt_bind_i64(next, 1, dataset_id);
    if (!stmt_run_i64(next, number, err))
        return false;
    struct dataset_version version = {.dataset_id = dataset_id,
                                      .number = *number,
                                      .job_id = p->job_id,
                                      .schema_json = p->schema_json,
                                      .summaries_json = p->summaries_json,
                                      .row_count = p->row_count,
                                      .source_sha256 = p->source_sha256,
                                      .source = p->source,
                                      .source_bytes = p->source_bytes,
                                      .label = p->label,
                                      .created_at = clock_now_ms(),
                                      .rows_checksum = p->rows_checksum};
    return dataset_version_insert(db, &version, err);
}

/* And counts the change: the database is another one than before. */
static bool
set_current(struct db *db, int64_t dataset_id, int64_t number, struct err *err)
{
    scoped_stmt s = db_stmt(db, "dataset_set_version");
    stmt_bind_i64(s, 1, dataset_id);
    stmt_bind_i64(s, 2, number);
    stmt_bind_i64(s, 3, clock_now_ms());
    scoped_stmt step = db_stmt(db, "data_directory_step");
    db_follow_commit(db, data_state_follow);
    return stmt_run(s, err) && stmt_run(step, err);
}

static bool
drop_beyond(struct db *db, int64_t dataset_id, uint64_t kept, struct err *err)
{
    scoped_stmt s = db_stmt(db, "dataset_version_drop");
    stmt_bind_i64(s, 1, dataset_id);
    stmt_bind_i64(s, 2, (int64_t)MIN(kept, (uint64_t)INT64_MAX));
    stmt_bind_i64(s, 3, clock_now_ms());
    return stmt_run(s, err);
}

static bool
finish_job(struct db *db, const struct dataset_publication *p, int64_t number, struct err *err)
{
    scoped_stmt s = db_stmt(db, "dataset_receipt");
    stmt_bind_str(s, 1, p->receipt_json);
    stmt_bind_i64(s, 2, number);
    if (stmt_step(s, err) != 1)
        return false;
    return job_finish_in(db, p->job_id, JOB_SUCCEEDED, STR(""), stmt_str(s, 0), err);
}

static bool
run_publish(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct dataset_publication *p = argument;
    struct dataset_version *made = reply;
    struct dataset dataset;
    return dataset_get(a, db, p->dataset, &dataset, err) &&
           check_base(&dataset, p->base_version, err) && check_job(a, db, p->job_id, err) &&
           check_folder(a, db, &dataset, p->job_id, err) &&
           insert_published(db, dataset.id, p, &made->number, err) &&
           set_current(db, dataset.id, made->number, err) &&
           drop_beyond(db, dataset.id, p->kept, err) && finish_job(db, p, made->number, err) &&
           /* Last, so that nothing refuses the version any more.  Run twice it says the
            * same; in a folder whose version came to nothing it goes with the folder. */
           version_file_write(db, dataset.id, p->job_id, err);
}

/* The kept version before the current one. */
static bool
find_previous(struct db *db, const struct dataset *dataset, int64_t *number, struct err *err)
{
    scoped_stmt s = db_stmt(db, "dataset_version_before");
    stmt_bind_i64(s, 1, dataset->id);
    stmt_bind_i64(s, 2, dataset->version);
    if (stmt_step(s, err) != 1)
        return false;
    if (stmt_is_null(s, 0))
        return err_set_code(err, ERR_CONFLICT, "no_previous_version",
                            "dataset '%" STR_FMT "' keeps no version before %lld",
                            STR_ARG(dataset->name), (long long)dataset->version);
    *number = stmt_i64(s, 0);
    return true;
}

static bool
check_rows(struct db *db, const struct dataset *dataset, const struct dataset_version *version,
           struct err *err)
{
    scoped_arena a = {0};
    return version_files_of(db)->has_rows(data_state_dir(&a, db), version) ||
           err_set_code(err, ERR_GONE, "files_gone",
                        "version %lld of dataset '%" STR_FMT "' cannot be made current: its "
                        "files are gone; /versions says which have theirs",
                        (long long)version->number, STR_ARG(dataset->name));
}

/* Where the service has not been started there is nothing that refuses it afterwards. */
static bool
find_unchecked(struct db *db, const struct dataset_version *version, bool *is_unchecked,
               struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_start");
    int got = stmt_step(s, err);
    *is_unchecked = got == 1 && stmt_i64(s, 0) != version->checked_start;
    return got >= 0;
}

static bool
doubt(struct db *db, const struct dataset_version *version, struct err *err)
{
    scoped_stmt s = db_stmt(db, "integrity_doubt");
    stmt_bind_i64(s, 1, version->dataset_id);
    stmt_bind_i64(s, 2, version->number);
    stmt_bind_i64(s, 3, version->edition);
    return stmt_run(s, err);
}

struct rollback {
    struct str name;
    int64_t number;    /* wanted, 0 for the one before; of the reply: that was found */
    bool is_unchecked; /* of the reply: it is not current, but checked next */
};

static bool
run_rollback(struct arena *a, struct db *db, const void *argument, void *reply, struct err *err)
{
    const struct rollback *wanted = argument;
    struct rollback *found = reply;
    struct str name = wanted->name;
    struct dataset dataset;
    struct dataset_version version;
    found->number = wanted->number;
    if (!dataset_get(a, db, name, &dataset, err) ||
        (found->number == 0 && !find_previous(db, &dataset, &found->number, err)) ||
        !dataset_version_get(a, db, name, found->number, &version, err))
        return false;
    if (version.damaged & INTEGRITY_ROWS)
        return err_set_code(err, ERR_CONFLICT, "version_damaged",
                            "rows.db of version %lld of dataset '%" STR_FMT
                            "' is damaged; put it back from a backup and run playmeter reindex",
                            (long long)found->number, STR_ARG(name));
    if (version.is_current && dataset.wanted_version == 0)
        return true;
    /* Unchecked is no failure to the writer, which would take the doubt back. */
    return check_rows(db, &dataset, &version, err) &&
           find_unchecked(db, &version, &found->is_unchecked, err) &&
           (found->is_unchecked ? doubt(db, &version, err)
                                : set_current(db, dataset.id, found->number, err));
}

#define MEMBER(name) CODEC_FIELD(struct dataset_publication, name)
const struct codec DATASET_PUBLICATION =
    CODEC(struct dataset_publication, MEMBER(dataset), MEMBER(job_id), MEMBER(schema_json),
          MEMBER(summaries_json), MEMBER(source_sha256), MEMBER(source), MEMBER(label),
          MEMBER(receipt_json), MEMBER(base_version), MEMBER(row_count), MEMBER(source_bytes),
          MEMBER(kept), MEMBER(rows_checksum));
static const struct codec NUMBER =
    CODEC(struct dataset_version, CODEC_FIELD(struct dataset_version, number));
static const struct codec WANTED = CODEC(struct dataset, CODEC_FIELD(struct dataset, name),
                                         CODEC_FIELD(struct dataset, is_public));
static const struct codec ID = CODEC(struct dataset, CODEC_FIELD(struct dataset, id));
static const struct codec ROLLBACK_TO = CODEC(
    struct rollback, CODEC_FIELD(struct rollback, name), CODEC_FIELD(struct rollback, number));
static const struct codec ROLLED_BACK =
    CODEC(struct rollback, CODEC_FIELD(struct rollback, number),
          CODEC_FIELD(struct rollback, is_unchecked));

enum { ENSURE, PUBLISH, ROLLBACK, OPERATIONS };
const struct operation DATASET_OPERATIONS[OPERATIONS + 1] = {
    [ENSURE] = {.name = "dataset_ensure", .argument = &WANTED, .reply = &ID, .run = run_ensure},
    [PUBLISH] = {.name = "dataset_publish",
                 .argument = &DATASET_PUBLICATION,
                 .reply = &NUMBER,
                 .run = run_publish},
    [ROLLBACK] = {.name = "dataset_rollback",
                  .argument = &ROLLBACK_TO,
                  .reply = &ROLLED_BACK,
                  .run = run_rollback},
};

/* ---- the calls ---- */

bool
dataset_ensure(struct writer *w, struct str name, bool is_public, int64_t *id, struct err *err)
{
    struct dataset wanted = {.name = name, .is_public = is_public}, made;
    if (!writer_call(w, &DATASET_OPERATIONS[ENSURE], &wanted, &made, err))
        return false;
    *id = made.id;
    return true;
}

bool
dataset_publish(struct writer *w, const struct dataset_publication *publication,
                int64_t *number, struct err *err)
{
    struct dataset_version made;
    bool ok = writer_call(w, &DATASET_OPERATIONS[PUBLISH], publication, &made, err);
    if (!ok && err->kind == ERR_TOO_LARGE)
        err_set(err, ERR_TOO_LARGE,
                "the columns and statistics of a dataset have at most %zu bytes",
                MESSAGE_BYTES_MAX);
    if (!ok)
        return false;
    *number = made.number;
    return true;
}

bool
dataset_rollback(struct writer *w, struct str name, int64_t number, int64_t *current,
                 struct err *err)
{
    struct rollback wanted = {.name = name, .number = number}, found;
    if (!writer_call(w, &DATASET_OPERATIONS[ROLLBACK], &wanted, &found, err))
        return false;
    if (found.is_unchecked)
        return err_set_code(err, ERR_BUSY, "version_unchecked",
                            "the files of version %lld have not been checked since the service "
                            "started; they are checked next",
                            (long long)found.number);
    *current = found.number;
    return true;
}
