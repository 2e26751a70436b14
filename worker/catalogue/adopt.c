/* Folders are moved before the commit that names them in their new place: a kill
 * between leaves them there, to be found by the next adoption. */
#include "catalogue/adopt.h"

#include "base/clock.h"
#include "base/fs.h"
#include "catalogue/data_state.h"
#include "catalogue/version_file.h"
#include "catalogue/version_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of one data directory: datasets by versions that are kept. */
#define FOUND_MAX 100000
/* Of a folder that no adoption will take. */
#define WAY_OUT "remove it, or move it out of the data directory"

struct found {
    struct version_file file;
    int64_t folder_id; /* the dataset's number that its folder has */
    bool is_adopted;
};

struct adoption {
    struct arena arena;
    struct db *db;
    const struct version_files *files;
    const char *data_dir;
    struct db_identity identity; /* of the database, as it came */
    struct found *found;
    size_t found_count, found_cap;
    int64_t seq_max; /* of everything that was looked at */
    bool is_behind;  /* the database is not of the newest that was found */
    bool has_changed;
    struct buf *out;
};

static void
end_adoption(struct adoption *adoption)
{
    arena_free(&adoption->arena);
}
#define scoped_adoption SCOPED(end_adoption) struct adoption

/* ---- looking ---- */

static bool
leave_alone(struct adoption *ad, int64_t dataset_id, struct str job_id, const char *why)
{
    buf_printf(ad->out, "datasets/%lld/%" STR_FMT " is left alone: %s\n", (long long)dataset_id,
               STR_ARG(job_id), why);
    return true;
}

static bool
leave_copy(struct adoption *ad, int64_t dataset_id, struct str job_id, int64_t home_id)
{
    scoped_arena a = {0};
    return leave_alone(ad, dataset_id, job_id,
                       arena_printf(&a, "its version has its files in datasets/%lld; " WAY_OUT,
                                    (long long)home_id)
                           .p);
}

static bool
look_at(void *context, int dir, int64_t dataset_id, struct str job_id, struct err *err)
{
    struct adoption *ad = context;
    struct version_folder known;
    struct version_file file;
    struct err why = {0};
    if (!version_folder_look_up(ad->db, dataset_id, job_id, &known, err))
        return false;
    if (known.home_id)
        return leave_copy(ad, dataset_id, job_id, known.home_id);
    int got = version_file_read(&ad->arena, dir, job_id, &file, &why);
    bool has_ended = known.is_dropped || known.has_failed;
    if (got != 1) {
        /* Its own versions get theirs anew, and what made none is swept by the service. */
        if (known.is_kept || known.is_under_way || (got == 0 && has_ended))
            return true;
        return leave_alone(ad, dataset_id, job_id,
                           got == 0 ? "it has no " VERSION_FILE_NAME : why.detail);
    }
    ad->seq_max = MAX(ad->seq_max, file.catalogue_seq);
    bool is_ours = str_eq(file.directory_id, str_from(ad->identity.directory_id));
    bool is_past = is_ours && file.catalogue_seq <= ad->identity.catalogue_seq;
    if (known.is_kept)
        return true;
    if (known.is_dropped)
        return is_ours || leave_alone(ad, dataset_id, job_id,
                                      "the database has dropped its version, and it is another "
                                      "data directory's; " WAY_OUT);
    /* An attempt that came to nothing: the database has seen what came after it. */
    if (known.is_known && is_past)
        return known.has_failed || known.is_under_way ||
               leave_alone(
                   ad, dataset_id, job_id,
                   "its job has ended, and the database has no version of it; " WAY_OUT);
    file.version.dataset_id = dataset_id;
    if (!ad->files->open(ad->data_dir, &file.version, &why))
        return leave_alone(ad, dataset_id, job_id, why.detail);
    if (ad->found_count == FOUND_MAX)
        return err_set(err, ERR_TOO_LARGE, "there are over %d folders to adopt", FOUND_MAX);
    ad->found = arena_grow(&ad->arena, ad->found, &ad->found_cap, ad->found_count + 1,
                           sizeof(*ad->found));
    ad->found[ad->found_count++] = (struct found){file, dataset_id, false};
    return true;
}

/* By dataset, then as they were published: a job's id begins with its time. */
static int
compare_found(const void *one, const void *other)
{
    const struct found *a = one, *b = other;
    int by_name = strcmp(a->file.dataset.p, b->file.dataset.p);
    if (by_name)
        return by_name;
    if (a->file.version.number != b->file.version.number)
        return a->file.version.number < b->file.version.number ? -1 : 1;
    int by_job = strcmp(a->file.version.job_id.p, b->file.version.job_id.p);
    return by_job ? by_job : (a->folder_id > b->folder_id) - (a->folder_id < b->folder_id);
}

/* ---- the catalogue ---- */

static bool
find_dataset(struct adoption *ad, const struct found *found, struct dataset *out,
             struct err *err)
{
    int got = dataset_find(&ad->arena, ad->db, found->file.dataset, out, err);
    if (got != 0)
        return got == 1;
    scoped_stmt s = db_stmt(ad->db, "adopt_dataset");
    stmt_bind_i64(s, 1, found->folder_id);
    stmt_bind_str(s, 2, found->file.dataset);
    stmt_bind_i64(s, 3, found->file.is_public);
    stmt_bind_i64(s, 4, found->file.version.created_at);
    return stmt_run(s, err) && dataset_get(&ad->arena, ad->db, found->file.dataset, out, err);
}

static bool
sync_folder(const char *path, struct err *err)
{
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, err);
    return fd >= 0 && fs_sync(fd, err);
}

static bool
move_folder(struct adoption *ad, const struct found *found, struct err *err)
{
    int64_t dataset_id = found->file.version.dataset_id;
    if (found->folder_id == dataset_id)
        return true;
    const char *from =
        arena_printf(&ad->arena, "%s/datasets/%lld", ad->data_dir, (long long)found->folder_id)
            .p;
    const char *to =
        arena_printf(&ad->arena, "%s/datasets/%lld", ad->data_dir, (long long)dataset_id).p;
    struct str job_id = found->file.version.job_id;
    if (!fs_make_dirs(to, err))
        return false;
    if (rename(version_folder_path(&ad->arena, ad->data_dir, found->folder_id, job_id, ""),
               version_folder_path(&ad->arena, ad->data_dir, dataset_id, job_id, "")))
        return err_set_errno(err, "moving %s/%" STR_FMT " to %s", from, STR_ARG(job_id), to);
    return sync_folder(to, err) && sync_folder(from, err) &&
           sync_folder(arena_printf(&ad->arena, "%s/datasets/.", ad->data_dir).p, err);
}

static bool
insert_job(struct adoption *ad, const struct found *found, struct err *err)
{
    const struct dataset_version *v = &found->file.version;
    scoped_stmt s = db_stmt(ad->db, "adopt_job");
    stmt_bind_str(s, 1, v->job_id);
    stmt_bind_str(s, 2, found->file.dataset);
    stmt_bind_str(s, 3, v->label);
    stmt_bind_str(s, 4, v->source);
    stmt_bind_i64(s, 5, v->source_bytes);
    stmt_bind_i64(s, 6, v->row_count);
    stmt_bind_i64(s, 7, v->created_at);
    stmt_bind_str(s, 8, found->file.receipt_json);
    stmt_bind_i64(s, 9, v->number);
    return stmt_run(s, err);
}

/* Its own folder apart: is there anything in the place where it belongs? */
static bool
is_place_taken(const struct adoption *ad, const struct found *found, int64_t dataset_id)
{
    scoped_arena a = {0};
    struct stat st;
    return found->folder_id != dataset_id &&
           lstat(version_folder_path(&a, ad->data_dir, dataset_id, found->file.version.job_id,
                                     ""),
                 &st) == 0;
}

/* The version gets its dataset's id and the number that is free.  A folder may be there twice,
 * as a copy under another dataset's number: the one in its place is taken, or else the
 * first. */
static bool
take(struct adoption *ad, struct found *found, struct err *err)
{
    struct dataset dataset;
    struct version_folder known;
    struct str job_id = found->file.version.job_id;
    struct dataset_version *version = &found->file.version;
    if (!version_folder_look_up(ad->db, found->folder_id, job_id, &known, err))
        return false;
    if (known.home_id)
        return leave_copy(ad, found->folder_id, job_id, known.home_id);
    if (!find_dataset(ad, found, &dataset, err))
        return false;
    if (is_place_taken(ad, found, dataset.id))
        return leave_copy(ad, found->folder_id, job_id, dataset.id);
    version->dataset_id = dataset.id;
    scoped_stmt number = db_stmt(ad->db, "adopt_number");
    stmt_bind_i64(number, 1, dataset.id);
    stmt_bind_i64(number, 2, version->number);
    if (!stmt_run_i64(number, &version->number, err) || !move_folder(ad, found, err) ||
        !insert_job(ad, found, err) || !dataset_version_insert(ad->db, version, err))
        return false;
    found->is_adopted = true;
    return true;
}

/* ---- what is current ---- */

/* "games: adopted versions 6, 7; version 5 has lost its files; 7 is current" */
static bool
settle_dataset(struct adoption *ad, const struct dataset *dataset, struct err *err)
{
    scoped_buf adopted, lost;
    buf_init(&adopted, 2 * KIB);
    buf_init(&lost, 2 * KIB);
    for (size_t i = 0; i < ad->found_count; i++)
        if (ad->found[i].is_adopted && str_eq(ad->found[i].file.dataset, dataset->name))
            buf_printf(&adopted, "%s%lld", adopted.n ? ", " : "",
                       (long long)ad->found[i].file.version.number);
    struct dataset_version *versions;
    size_t count;
    if (!dataset_version_list(&ad->arena, ad->db, dataset->name, &versions, &count, err))
        return false;
    int64_t newest = 0;
    bool is_current_lost = false, is_wanted_lost = dataset->wanted_version != 0;
    for (size_t i = 0; i < count; i++) {
        if (ad->files->has_rows(ad->data_dir, &versions[i])) {
            newest = MAX(newest, versions[i].number);
            is_wanted_lost = is_wanted_lost && versions[i].number != dataset->wanted_version;
            continue;
        }
        scoped_stmt s = db_stmt(ad->db, "adopt_drop");
        stmt_bind_str(s, 1, versions[i].job_id);
        stmt_bind_i64(s, 2, clock_now_ms());
        if (!stmt_run(s, err))
            return false;
        is_current_lost = is_current_lost || versions[i].is_current;
        buf_printf(&lost, "%s%lld", lost.n ? ", " : "", (long long)versions[i].number);
    }
    if (adopted.n == 0 && lost.n == 0 && !is_wanted_lost)
        return true;
    ad->has_changed = true;
    buf_printf(ad->out, "%" STR_FMT ":", STR_ARG(dataset->name));
    if (adopted.n)
        buf_printf(ad->out, " adopted version %" STR_FMT ";", STR_ARG(buf_str(&adopted)));
    if (lost.n)
        buf_printf(ad->out, " the files of version %" STR_FMT " are gone;",
                   STR_ARG(buf_str(&lost)));
    if (is_wanted_lost)
        buf_printf(ad->out, " version %lld is waited for no more;",
                   (long long)dataset->wanted_version);
    int64_t current = adopted.n || is_current_lost ? newest : dataset->version;
    if (current)
        buf_printf(ad->out, " version %lld is current\n", (long long)current);
    else
        buf_add_lit(ad->out, " nothing is left of it\n");
    if (current == dataset->version && !is_wanted_lost)
        return true;
    scoped_stmt s = db_stmt(ad->db, "dataset_set_version");
    stmt_bind_i64(s, 1, dataset->id);
    if (current) /* else none: NULL */
        stmt_bind_i64(s, 2, current);
    stmt_bind_i64(s, 3, clock_now_ms());
    return stmt_run(s, err);
}

static bool
cancel_jobs(struct adoption *ad, struct err *err)
{
    scoped_stmt s = db_stmt(ad->db, "adopt_cancel");
    stmt_bind_i64(s, 1, clock_now_ms());
    int got;
    while ((got = stmt_step(s, err)) == 1)
        buf_printf(ad->out,
                   "job %" STR_FMT " (%" STR_FMT " %" STR_FMT
                   ") was in the queue of this older "
                   "database and is cancelled; send it again if its data is missing\n",
                   STR_ARG(stmt_str(s, 0)), STR_ARG(stmt_str(s, 1)), STR_ARG(stmt_str(s, 2)));
    return got == 0;
}

/* Above everything, so that a database that is put back later is seen to be older. */
static bool
raise_count(struct adoption *ad, struct err *err)
{
    scoped_stmt s = db_stmt(ad->db, "adopt_count");
    stmt_bind_i64(s, 1, MAX(ad->seq_max, ad->identity.catalogue_seq) + 1);
    return stmt_run(s, err);
}

static bool
change_catalogue(struct adoption *ad, struct err *err)
{
    scoped_tx tx = {0};
    struct dataset *list;
    size_t count;
    if (!db_begin(ad->db, &tx, err))
        return false;
    for (size_t i = 0; i < ad->found_count; i++)
        if (!take(ad, &ad->found[i], err))
            return false;
    if (!dataset_list_all(&ad->arena, ad->db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!settle_dataset(ad, &list[i], err))
            return false;
    if ((ad->is_behind && !cancel_jobs(ad, err)) ||
        ((ad->is_behind || ad->has_changed) && !raise_count(ad, err)))
        return false;
    return db_commit(&tx, err);
}

/* ---- the files ---- */

static bool
write_version(void *context, int dir UNUSED, int64_t dataset_id, struct str job_id,
              struct err *err)
{
    struct adoption *ad = context;
    struct version_folder known;
    return version_folder_look_up(ad->db, dataset_id, job_id, &known, err) &&
           (!known.is_kept || version_file_write(ad->db, dataset_id, job_id, err));
}

bool
adopt_run(struct db *db, const struct version_files *files, const char *data_dir,
          struct buf *out, struct err *err)
{
    scoped_adoption ad = {.db = db, .files = files, .data_dir = data_dir, .out = out};
    struct db_identity state;
    struct err unreadable;
    if (!db_read_identity(db, &ad.identity, err) ||
        !version_folders_visit(data_dir, look_at, &ad, err))
        return false;
    bool has_state = data_state_read(data_dir, &state, &unreadable) == 1;
    if (has_state)
        ad.seq_max = MAX(ad.seq_max, state.catalogue_seq);
    ad.is_behind = ad.seq_max > ad.identity.catalogue_seq ||
                   (has_state && strcmp(state.directory_id, ad.identity.directory_id) != 0);
    if (ad.found_count)
        qsort(ad.found, ad.found_count, sizeof(*ad.found), compare_found);
    return change_catalogue(&ad, err) && db_read_identity(db, &ad.identity, err) &&
           version_folders_visit(data_dir, write_version, &ad, err) &&
           data_state_write(data_dir, &ad.identity, err);
}
