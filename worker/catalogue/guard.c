#include "catalogue/guard.h"

#include "catalogue/data_state.h"
#include "catalogue/version_file.h"
#include "catalogue/version_folder.h"

#include <string.h>
#include <sys/stat.h>

static bool
refuse_data_dir(struct err *err, const char *data_dir, struct str found)
{
    return err_set_code(err, ERR_CONFLICT, "wrong_database",
                        "%s/playmeter.db %" STR_FMT ". Nothing was changed. Put back the "
                        "database that belongs here (and playmeter.db-wal, if it has one; "
                        "without one, remove the one that is there), or make this one fit the "
                        "datasets: playmeter adopt --data %s",
                        data_dir, STR_ARG(found), data_dir);
}

static bool
refuse_state(struct err *err, const char *data_dir)
{
    struct err why = *err;
    return err_set_code(err, ERR_CONFLICT, "wrong_database",
                        "whether %s/playmeter.db belongs there cannot be told: %s. playmeter "
                        "adopt --data %s makes the file again",
                        data_dir, why.detail, data_dir);
}

/* ---- missing or empty ---- */

static bool
note_one(void *context, int dir UNUSED, int64_t dataset_id UNUSED, struct str job_id UNUSED,
         struct err *err UNUSED)
{
    ++*(size_t *)context;
    return true;
}

/* False, refusing, when something is there that a database knew of. */
static bool
check_nothing_is_there(const char *data_dir, const char *what, struct err *err)
{
    scoped_arena a = {0};
    struct db_identity state;
    size_t count = 0;
    int has_state = data_state_read(data_dir, &state, err);
    if (!version_folders_visit(data_dir, note_one, &count, err))
        return false;
    if (has_state == 0 && count == 0)
        return true;
    return refuse_data_dir(err, data_dir,
                           arena_printf(&a, "%s, and beside it are %zu versions of datasets%s",
                                        what, count,
                                        has_state ? " and the file state of a database" : ""));
}

/* ---- another one, or older ---- */

static bool
check_state(const struct db_identity *db, const struct db_identity *state, const char *data_dir,
            struct err *err)
{
    scoped_arena a = {0};
    bool has_id = db->directory_id[0];
    if (has_id && strcmp(db->directory_id, state->directory_id) != 0)
        return refuse_data_dir(err, data_dir,
                               arena_printf(&a,
                                            "belongs to data directory %s, and this one is %s",
                                            db->directory_id, state->directory_id));
    if (!has_id || db->schema < state->schema || db->catalogue_seq < state->catalogue_seq)
        return refuse_data_dir(
            err, data_dir,
            arena_printf(&a,
                         "is older than the files beside it: it has seen %lld "
                         "publications and rollbacks (schema %lld), they are of %lld "
                         "(schema %lld)",
                         (long long)db->catalogue_seq, (long long)db->schema,
                         (long long)state->catalogue_seq, (long long)state->schema));
    return true;
}

static bool
check_identity(struct db *db, const char *data_dir, struct err *err)
{
    struct db_identity identity, state;
    bool is_own;
    if (!db_log_is_its_own(db, &is_own, err))
        return false;
    if (!is_own)
        return refuse_data_dir(
            err, data_dir, STR("is an older copy than its log, playmeter.db-wal, goes with"));
    if (!db_read_identity(db, &identity, err))
        return false;
    if (identity.schema == 0)
        return check_nothing_is_there(data_dir, "has no tables: it is new, or lost its log",
                                      err);
    int has_state = data_state_read(data_dir, &state, err);
    if (has_state < 0)
        return refuse_state(err, data_dir);
    return has_state == 0 || check_state(&identity, &state, data_dir, err);
}

/* ---- the folders ---- */

struct look {
    struct db *db;
    const char *data_dir;
    struct db_identity identity;
    bool has_state;
    bool is_bare; /* some folder is */
};

struct folder {
    struct version_folder known;
    struct version_file file;
    bool has_file;
    bool is_bare; /* a kept version's without a version.json of use */
};

/* What the database and its version.json say of a folder.  A kept version's file is of no use
 * where it cannot be read, or is an older program's, written before the rows had a checksum. */
static bool
read_folder(struct arena *a, const struct look *look, int dir, int64_t dataset_id,
            struct str job_id, struct folder *out, struct err *err)
{
    struct err ignored;
    if (!version_folder_look_up(look->db, dataset_id, job_id, &out->known, err))
        return false;
    out->has_file = version_file_read(a, dir, job_id, &out->file, &ignored) == 1;
    out->is_bare =
        out->known.is_kept &&
        (!out->has_file || (out->known.has_checksum && out->file.version.rows_checksum == 0));
    return true;
}

/* With the state that fits, only a version that a later database published is looked for: what
 * else is strange is the sweep's to tell.  Without it the folders alone say whose the database
 * is. */
static bool
check_folder(void *context, int dir, int64_t dataset_id, struct str job_id, struct err *err)
{
    scoped_arena a = {0};
    struct look *look = context;
    struct folder folder;
    if (!read_folder(&a, look, dir, dataset_id, job_id, &folder, err))
        return false;
    look->is_bare = look->is_bare || folder.is_bare;
    const char *path =
        arena_printf(&a, "datasets/%lld/%" STR_FMT, (long long)dataset_id, STR_ARG(job_id)).p;
    bool is_newer = folder.has_file &&
                    str_eq(folder.file.directory_id, str_from(look->identity.directory_id)) &&
                    folder.file.catalogue_seq > look->identity.catalogue_seq;
    if (is_newer && !(look->has_state && folder.known.is_known))
        return refuse_data_dir(
            err, look->data_dir,
            arena_printf(&a,
                         "is older than the files beside it: it has seen %lld "
                         "publications and rollbacks, and %s is of %lld",
                         (long long)look->identity.catalogue_seq, path,
                         (long long)folder.file.catalogue_seq));
    if (!look->has_state && !folder.known.is_known)
        return refuse_data_dir(
            err, look->data_dir,
            arena_printf(&a,
                         "does not know of %s; it is another directory's, or an "
                         "older copy",
                         path));
    return true;
}

static bool
write_missing(void *context, int dir, int64_t dataset_id, struct str job_id, struct err *err)
{
    scoped_arena a = {0};
    struct look *look = context;
    struct folder folder;
    return read_folder(&a, look, dir, dataset_id, job_id, &folder, err) &&
           (!folder.is_bare || version_file_write(look->db, dataset_id, job_id, err));
}

bool
guard_take(struct db *db, const char *data_dir, struct err *err)
{
    struct look look = {.db = db, .data_dir = data_dir};
    struct db_identity state;
    int has_state = data_state_read(data_dir, &state, err);
    if (has_state < 0)
        return refuse_state(err, data_dir);
    look.has_state = has_state == 1;
    if (!db_read_identity(db, &look.identity, err) ||
        (look.has_state && !check_state(&look.identity, &state, data_dir, err)) ||
        !version_folders_visit(data_dir, check_folder, &look, err))
        return false;
    if (look.is_bare && !version_folders_visit(data_dir, write_missing, &look, err))
        return false;
    bool is_written = look.has_state && state.schema == look.identity.schema &&
                      state.catalogue_seq == look.identity.catalogue_seq;
    return is_written || data_state_write(data_dir, &look.identity, err);
}

/* ---- all of it ---- */

/* Closed again without its log: the next one prepares the statements of the migrated schema. */
static bool
check_and_migrate(const char *data_dir, const char *db_path, int *applied_count,
                  struct err *err)
{
    scoped_db db = db_open(db_path, DB_MIGRATE, err);
    return db && check_identity(db, data_dir, err) &&
           (!applied_count || db_migrate(db, applied_count, err));
}

struct db *
guard_open(const char *data_dir, const char *db_path, int *applied_count, struct err *err)
{
    struct stat st;
    const char *what = stat(db_path, &st) ? "is missing" : st.st_size == 0 ? "is empty" : NULL;
    if ((what && !check_nothing_is_there(data_dir, what, err)) ||
        !check_and_migrate(data_dir, db_path, applied_count, err))
        return NULL;
    struct db *db = db_open(db_path, DB_WRITER, err);
    if (db && !guard_take(db, data_dir, err))
        db_close(&db);
    if (db)
        db_take_log(db);
    return db;
}
