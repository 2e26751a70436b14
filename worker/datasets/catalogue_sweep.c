/* dataset_sweep of catalogue.h: removes what nobody names any more.
 *
 * A folder is listed first and asked about after, one SELECT each.  A job is in the database
 * before it makes its folder and a version before its job is finished, so a folder that was
 * listed and is not named then never will be.  Names that are not ours are left alone. */
#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/num.h"
#include "datasets/catalogue.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The source of an upload lies in the spool a moment before its job is enqueued; after a day
 * the request that put it there is over. */
#define ORPHAN_KEPT_MS DATE_MS_PER_DAY
/* nginx removes the file of a request's body itself, unless it was killed.  It writes 256 KiB
 * at a time, so a file that has not grown for so long belongs to nobody who will finish it. */
#define BODY_KEPT_MS (INT64_C(3600) * 1000)

struct sweep {
    struct db *db;
    int64_t dataset_id; /* whose folder is swept */
    int64_t spool_kept_ms, now;
};

static bool
is_job_id(struct str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!((name.p[i] >= '0' && name.p[i] <= '9') || (name.p[i] >= 'a' && name.p[i] <= 'f')))
            return false;
    return name.n == JOB_ID_DIGITS;
}

/* Calls `visit` for each entry of the folder; a folder that is not there has none. */
static bool
for_each_entry(int dir, const char *path, struct sweep *sweep,
               bool (*visit)(struct sweep *, int, struct str, struct err *), struct err *err)
{
    int fd = fs_open_at(dir, path, O_RDONLY | O_DIRECTORY, err);
    if (fd < 0)
        return err->kind == ERR_NOT_FOUND;
    DIR *list = fdopendir(fd);
    if (!list) {
        fs_close(&fd);
        return err_set_errno(err, "listing %s", path);
    }
    bool ok = true;
    struct dirent *entry;
    while (ok && (entry = readdir(list)))
        if (entry->d_name[0] != '.')
            ok = visit(sweep, dirfd(list), str_from(entry->d_name), err);
    closedir(list);
    return ok;
}

static bool
sweep_job_folder(struct sweep *sweep, int dir, struct str name, struct err *err)
{
    if (!is_job_id(name))
        return true;
    scoped_stmt s = db_stmt(sweep->db, "sweep_folder");
    stmt_bind_i64(s, 1, sweep->dataset_id);
    stmt_bind_str(s, 2, name);
    int got = stmt_step(s, err);
    if (got != 1)
        return false;
    return stmt_i64(s, 0) || fs_remove_tree(dir, name.p, err);
}

static bool
sweep_dataset_folder(struct sweep *sweep, int dir, struct str name, struct err *err)
{
    if (!num_parse_i64(name, &sweep->dataset_id))
        return true;
    return for_each_entry(dir, name.p, sweep, sweep_job_folder, err);
}

static bool
is_older_than(int dir, const char *name, int64_t ms)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (int64_t)st.st_mtim.tv_sec * 1000 < ms;
}

/* Of a fetch that was killed together with whoever would have removed it. */
static bool
remove_partial_source(int dir, struct str job_id, struct err *err)
{
    char path[JOB_ID_DIGITS + 1 + sizeof(DATASET_PARTIAL_SOURCE)];
    snprintf(path, sizeof(path), "%" STR_FMT "/" DATASET_PARTIAL_SOURCE, STR_ARG(job_id));
    return fs_remove_tree(dir, path, err);
}

static bool
sweep_spool_folder(struct sweep *sweep, int dir, struct str name, struct err *err)
{
    if (!is_job_id(name))
        return true;
    scoped_stmt s = db_stmt(sweep->db, "sweep_spool");
    stmt_bind_str(s, 1, name);
    int got = stmt_step(s, err);
    if (got < 0)
        return false;
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
sweep_body(struct sweep *sweep, int dir, struct str name, struct err *err)
{
    return !is_older_than(dir, name.p, sweep->now - BODY_KEPT_MS) ||
           fs_remove_tree(dir, name.p, err);
}

bool
dataset_sweep(struct db *db, const char *data_dir, int64_t spool_kept_ms, struct err *err)
{
    struct sweep sweep = {.db = db, .spool_kept_ms = spool_kept_ms, .now = clock_now_ms()};
    scoped_fd dir = fs_open_at(AT_FDCWD, data_dir, O_RDONLY | O_DIRECTORY, err);
    return dir >= 0 && for_each_entry(dir, "datasets", &sweep, sweep_dataset_folder, err) &&
           for_each_entry(dir, "spool", &sweep, sweep_spool_folder, err) &&
           for_each_entry(dir, "nginx/body", &sweep, sweep_body, err);
}
