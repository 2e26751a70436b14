#include "embedded/files.h"

#include "base/fs.h"
#include "catalogue/version_folder.h"
#include "embedded/rows.h"
#include "index/tfidf.h"
#include "index/trigrams.h"

#include <fcntl.h>
#include <sys/stat.h>

static const struct {
    enum integrity_file file;
    const char *name;
    bool (*check)(int fd, uint64_t row_count, struct err *err);
} FILES[] = {
    {INTEGRITY_ROWS, ROWS_FILE_NAME, NULL}, /* against the catalogue */
    {INTEGRITY_COLUMNS, COLUMNS_FILE_NAME, columns_check},
    {INTEGRITY_TRIGRAMS, TRIGRAMS_FILE_NAME, trigrams_check},
    {INTEGRITY_TFIDF, TFIDF_FILE_NAME, tfidf_check},
};

struct check {
    struct arena arena;
    const struct dataset_version *version;
    const char *data_dir;
    struct integrity_finding finding;
};

static void
end_check(struct check *c)
{
    arena_free(&c->arena);
}
#define scoped_check SCOPED(end_check) struct check

const char *
embedded_path(struct arena *a, const char *data_dir, const struct dataset_version *version,
              const char *name)
{
    return version_folder_path(a, data_dir, version->dataset_id, version->job_id, name);
}

static bool
compare_rows(const char *path, const struct dataset_version *version, uint64_t *checksum,
             struct err *err)
{
    if (!rows_checksum(path, checksum, err))
        return false;
    if (version->rows_checksum == 0)
        return rows_look(path, (uint64_t)version->row_count, err);
    return *checksum == version->rows_checksum ||
           err_set(err, ERR_INTERNAL, "its checksum is wrong");
}

static bool
check_file(struct check *c, size_t i, bool is_needed, struct err *err)
{
    struct err reason = {0};
    uint64_t bytes = 0;
    const char *path = embedded_path(&c->arena, c->data_dir, c->version, FILES[i].name);
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDONLY, &reason);
    if (fd < 0 && reason.kind == ERR_NOT_FOUND && !is_needed)
        return true;
    bool ok = fd >= 0 && fs_size(fd, &bytes, &reason);
    if (ok)
        ok = FILES[i].check
                 ? FILES[i].check(fd, (uint64_t)c->version->row_count, &reason)
                 : compare_rows(path, c->version, &c->finding.rows_checksum, &reason);
    c->finding.bytes += bytes;
    /* What the process or the machine lacks is no fault of the file. */
    if (!ok && err_is_shortage(&reason)) {
        *err = reason;
        return false;
    }
    if (ok)
        return true;
    /* The first damage is the one that is told. */
    if (c->finding.damaged == 0)
        c->finding.reason = reason;
    c->finding.damaged |= FILES[i].file;
    return true;
}

/* Of a version whose columns are whole: their sizes say whether it has trigrams. */
static bool
needs_trigrams(struct check *c, bool *is_needed, struct err *err)
{
    struct err why = {0};
    struct columns columns;
    const char *path = embedded_path(&c->arena, c->data_dir, c->version, COLUMNS_FILE_NAME);
    scoped_fd fd = fs_open_at(AT_FDCWD, path, O_RDONLY, &why);
    if (fd < 0 || !columns_open(&c->arena, &columns, fd, &why)) {
        *is_needed = false;
        *err = why;
        return !err_is_shortage(&why);
    }
    *is_needed = trigrams_are_wanted(&columns, TRIGRAMS_TEXT_BYTES_MIN);
    columns_close(&columns);
    return true;
}

static bool
needs_tfidf(struct check *c)
{
    struct err ignored;
    struct schema schema;
    size_t *similar;
    return schema_parse_json(&c->arena, c->version->schema_json, &schema, &ignored) &&
           schema_similar_columns(&c->arena, &schema, &similar) > 0;
}

static bool
find_needed(struct check *c, enum integrity_file file, bool *is_needed, struct err *err)
{
    *is_needed = true;
    switch (file) {
    case INTEGRITY_ROWS:
    case INTEGRITY_COLUMNS:
        break;
    case INTEGRITY_TRIGRAMS:
        *is_needed = !(c->finding.damaged & INTEGRITY_COLUMNS);
        return !*is_needed || needs_trigrams(c, is_needed, err);
    case INTEGRITY_TFIDF:
        *is_needed = needs_tfidf(c);
        break;
    }
    return true;
}

static bool
check_files(const char *data_dir, const struct dataset_version *version,
            struct integrity_finding *out, struct err *err)
{
    scoped_check c = {.version = version, .data_dir = data_dir};
    for (size_t i = 0; i < COUNT_OF(FILES); i++) {
        bool is_needed;
        if (!find_needed(&c, FILES[i].file, &is_needed, err) ||
            !check_file(&c, i, is_needed, err))
            return false;
    }
    *out = c.finding;
    return true;
}

bool
embedded_check_rows(const char *data_dir, const struct dataset_version *version,
                    struct err *err)
{
    scoped_arena a = {0};
    struct err reason = {0};
    uint64_t checksum;
    const char *path = embedded_path(&a, data_dir, version, ROWS_FILE_NAME);
    if (compare_rows(path, version, &checksum, &reason))
        return true;
    if (err_is_shortage(&reason)) {
        *err = reason;
        return false;
    }
    return err_set_name(err, ERR_CONFLICT, INTEGRITY_ROWS_DAMAGED, version->job_id,
                        "rows.db of version %lld is damaged: %s; import the whole file again, "
                        "or put rows.db back from a backup and run playmeter reindex",
                        (long long)version->number, err_public_detail(&reason));
}

static bool
has_rows(const char *data_dir, const struct dataset_version *version)
{
    scoped_arena a = {0};
    struct stat st;
    return lstat(embedded_path(&a, data_dir, version, ROWS_FILE_NAME), &st) == 0 &&
           S_ISREG(st.st_mode) && st.st_size > 0;
}

static bool
try_open(const char *data_dir, const struct dataset_version *version, struct err *err)
{
    scoped_arena a = {0};
    struct schema schema;
    if (!has_rows(data_dir, version))
        return err_set(err, ERR_GONE, "its " ROWS_FILE_NAME " is gone");
    if (!schema_parse_json(&a, version->schema_json, &schema, err))
        return false;
    struct rows *rows = embedded_rows_open(
        &a, embedded_path(&a, data_dir, version, ROWS_FILE_NAME), &schema, err);
    bool is_open = rows != NULL;
    rows_close(&rows);
    return is_open;
}

static bool
drop(const char *data_dir, int64_t dataset_id, struct str job_id, struct err *err)
{
    scoped_arena a = {0};
    return fs_remove_tree(AT_FDCWD, version_folder_path(&a, data_dir, dataset_id, job_id, ""),
                          err);
}

const struct version_files EMBEDDED_FILES = {
    .has_rows = has_rows,
    .open = try_open,
    .check = check_files,
    .check_rows = embedded_check_rows,
    .reindex = embedded_reindex,
    .drop = drop,
};
