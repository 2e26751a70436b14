#include "catalogue/version_folder.h"

#include "base/fs.h"
#include "base/num.h"
#include "jobs/job.h"

#include <fcntl.h>
#include <sys/stat.h>

const char *
version_folder_path(struct arena *a, const char *data_dir, int64_t dataset_id,
                    struct str job_id, const char *file)
{
    return arena_printf(a, "%s/datasets/%lld/%" STR_FMT "%s%s", data_dir, (long long)dataset_id,
                        STR_ARG(job_id), *file ? "/" : "", file)
        .p;
}

struct walk {
    version_folder_fn *visit;
    void *context;
    int64_t dataset_id;
};

static bool
is_folder(int dir, struct str name)
{
    struct stat st;
    return fstatat(dir, name.p, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool
visit_version(void *context, int dir, struct str name, struct err *err)
{
    struct walk *walk = context;
    return !job_id_is_valid(name) || !is_folder(dir, name) ||
           walk->visit(walk->context, dir, walk->dataset_id, name, err);
}

static bool
visit_dataset(void *context, int dir, struct str name, struct err *err)
{
    struct walk *walk = context;
    return !num_parse_i64(name, &walk->dataset_id) || !is_folder(dir, name) ||
           fs_list(dir, name.p, visit_version, walk, err);
}

bool
version_folders_visit(const char *data_dir, version_folder_fn *visit, void *context,
                      struct err *err)
{
    scoped_arena a = {0};
    struct walk walk = {.visit = visit, .context = context};
    /* The dot: datasets/ itself may be a link to a larger disk. */
    const char *path = arena_printf(&a, "%s/datasets/.", data_dir).p;
    return fs_list(AT_FDCWD, path, visit_dataset, &walk, err);
}

bool
version_folder_look_up(struct db *db, int64_t dataset_id, struct str job_id,
                       struct version_folder *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "version_folder");
    stmt_bind_i64(s, 1, dataset_id);
    stmt_bind_str(s, 2, job_id);
    if (stmt_step(s, err) != 1)
        return false;
    *out = (struct version_folder){
        stmt_i64(s, 0) != 0, stmt_i64(s, 1) != 0, stmt_i64(s, 2) != 0, stmt_i64(s, 3) != 0,
        stmt_i64(s, 4) != 0, stmt_i64(s, 5) != 0, stmt_i64(s, 6)};
    return true;
}
