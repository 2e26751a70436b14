/* dataset_sweep of dataset.h: removes what nobody names any more.
 *
 * A folder is listed first and asked about after, one SELECT each.  A job is in the database
 * before it makes its folder and a version before its job is finished, so a folder that was
 * listed and is not named then never will be.  Names that are not ours are left alone.
 *
 * That the database does not name a folder is no reason to remove it: it may be an older copy,
 * or another directory's.  It has to know the folder's job, and the folder must not know
 * better. */
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "catalogue/data_state.h"
#include "catalogue/files.h"
#include "catalogue/version_file.h"
#include "catalogue/version_folder.h"
#include "config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The source of an upload lies in the spool a moment before its job is enqueued; after a day
 * the request that put it there is over. */
#define ORPHAN_KEPT_MS DATE_MS_PER_DAY
/* Between the folder, its mark and its job lie moments. */
#define UNKNOWN_AGE_MS INT64_C(60000)
/* nginx removes the file of a request's body itself, unless it was killed.  It writes 256 KiB
 * at a time, so a file that has not grown for so long belongs to nobody who will finish it. */
#define BODY_KEPT_MS (INT64_C(3600) * 1000)

/* A file is replaced within moments, however slow the disk. */
#define TEMPORARY_KEPT_MS (INT64_C(3600) * 1000)

/* What to do about a folder that is kept; adoption says what it can do nothing about. */
#define WAY_OUT                                                                                \
    "put the database that knows it back, or stop the service and run playmeter adopt, or "    \
    "remove it if nobody wants it"

struct sweep {
    struct db *db;
    const struct version_files *files;
    const char *data_dir;
    struct buf *kept;
    int64_t spool_kept_ms, now;
};

/* Why the folder of a version that is dropped, or of a job that made none, is not to be
 * removed; NULL: it is. */
static const char *
reason_to_keep(const struct db_identity *identity, int dir, struct str name)
{
    scoped_arena a = {0};
    struct version_file file;
    struct err ignored;
    int got = version_file_read(&a, dir, name, &file, &ignored);
    if (got == 0)
        return NULL; /* an attempt's */
    if (got < 0)
        return "its version.json cannot be read";
    if (!str_eq(file.directory_id, str_from(identity->directory_id)))
        return "it is another data directory's";
    if (file.catalogue_seq > identity->catalogue_seq)
        return "it is newer than the database";
    return NULL;
}

static bool
is_older_than(int dir, const char *name, int64_t ms)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (int64_t)st.st_mtim.tv_sec * 1000 < ms;
}

/* Of what is replaced in DATA and in the folder of a version.  A key half made is a secret. */
static bool
sweep_temporary(void *context, int dir, struct str name, struct err *err)
{
    static const char *const REPLACED[] = {DATA_STATE_NAME, VERSION_FILE_NAME, CONFIG_ADMIN_KEY,
                                           CONFIG_JWT_SECRET};
    const struct sweep *sweep = context;
    bool is_temporary = false;
    for (size_t i = 0; i < COUNT_OF(REPLACED); i++)
        is_temporary = is_temporary || fs_is_temporary(name, REPLACED[i]);
    return !is_temporary || !is_older_than(dir, name.p, sweep->now - TEMPORARY_KEPT_MS) ||
           fs_remove_tree(dir, name.p, err);
}

static bool
sweep_version_folder(void *context, int dir, int64_t dataset_id, struct str name,
                     struct err *err)
{
    struct sweep *sweep = context;
    struct version_folder known;
    struct db_identity identity;
    /* The identity last: a version that is dropped meanwhile is not newer than it. */
    if (!version_folder_look_up(sweep->db, dataset_id, name, &known, err) ||
        !db_read_identity(sweep->db, &identity, err))
        return false;
    if (known.is_kept)
        return fs_list(dir, name.p, sweep_temporary, sweep, err);
    if (known.is_under_way)
        return true;
    if (known.home_id) {
        buf_printf(sweep->kept,
                   "datasets/%lld/%" STR_FMT ": its version has its files in datasets/%lld; "
                   "remove it, or move it out of the data directory\n",
                   (long long)dataset_id, STR_ARG(name), (long long)known.home_id);
        return true;
    }
    const char *why = known.is_dropped || known.has_failed
                          ? reason_to_keep(&identity, dir, name)
                      : known.is_known ? "the database does not know its version"
                                       : "the database does not know its job";
    if (!why)
        return sweep->files->drop(sweep->data_dir, dataset_id, name, err);
    buf_printf(sweep->kept, "datasets/%lld/%" STR_FMT ": %s; " WAY_OUT "\n",
               (long long)dataset_id, STR_ARG(name), why);
    return true;
}

/* Of a fetch that was killed together with whoever would have removed it. */
static bool
remove_partial_source(int dir, struct str job_id, struct err *err)
{
    char path[JOB_ID_DIGITS + 1 + sizeof(DATASET_PARTIAL_SOURCE)];
    snprintf(path, sizeof(path), "%" STR_FMT "/" DATASET_PARTIAL_SOURCE, STR_ARG(job_id));
    return fs_remove_tree(dir, path, err);
}

/* Was its upload never made a job? */
static bool
is_orphan(int dir, struct str name)
{
    scoped_arena a = {0};
    struct stat st;
    const char *mark = arena_printf(&a, "%" STR_FMT "/" DATASET_ARRIVING_MARK, STR_ARG(name)).p;
    return fstatat(dir, mark, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
sweep_spool_folder(void *context, int dir, struct str name, struct err *err)
{
    struct sweep *sweep = context;
    if (!job_id_is_valid(name))
        return true;
    scoped_stmt s = db_stmt(sweep->db, "sweep_spool");
    stmt_bind_str(s, 1, name);
    int got = stmt_step(s, err);
    if (got < 0)
        return false;
    if (got == 0 && !is_orphan(dir, name)) {
        if (!is_older_than(dir, name.p, sweep->now - UNKNOWN_AGE_MS))
            return true;
        buf_printf(sweep->kept,
                   "spool/%" STR_FMT ": the database does not know its job; " WAY_OUT "\n",
                   STR_ARG(name));
        return true;
    }
    int64_t finished_at = got == 1 ? stmt_i64(s, 0) : 0;
    bool is_running = got == 1 && stmt_i64(s, 1);
    if (got == 1 && !is_running && !remove_partial_source(dir, name, err))
        return false;
    bool is_over = got == 1
                       ? finished_at != 0 && finished_at < sweep->now - sweep->spool_kept_ms
                       : is_older_than(dir, name.p, sweep->now - ORPHAN_KEPT_MS);
    return !is_over || fs_remove_tree(dir, name.p, err);
}

static bool
sweep_body(void *context, int dir, struct str name, struct err *err)
{
    struct sweep *sweep = context;
    return !is_older_than(dir, name.p, sweep->now - BODY_KEPT_MS) ||
           fs_remove_tree(dir, name.p, err);
}

bool
dataset_sweep(struct db *db, const struct version_files *files, const char *data_dir,
              int64_t spool_kept_ms, struct buf *kept, struct err *err)
{
    struct sweep sweep = {.db = db,
                          .files = files,
                          .data_dir = data_dir,
                          .kept = kept,
                          .spool_kept_ms = spool_kept_ms,
                          .now = clock_now_ms()};
    scoped_fd dir = fs_open_at(AT_FDCWD, data_dir, O_RDONLY | O_DIRECTORY, err);
    return dir >= 0 && version_folders_visit(data_dir, sweep_version_folder, &sweep, err) &&
           fs_list(dir, ".", sweep_temporary, &sweep, err) &&
           fs_list(dir, "spool", sweep_spool_folder, &sweep, err) &&
           fs_list(dir, "nginx/body", sweep_body, &sweep, err);
}
