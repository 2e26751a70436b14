/* See integrity.h: the files of one version, and their names. */
#include "catalogue/integrity.h"

#include "base/fs.h"
#include "catalogue/version_folder.h"
#include "index/tfidf.h"
#include "index/trigrams.h"
#include "store/rows.h"

#include <fcntl.h>
#include <string.h>

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

struct str
integrity_files_words(struct arena *a, unsigned files)
{
    struct str words = STR("");
    for (size_t i = 0; i < COUNT_OF(FILES); i++)
        if (files & FILES[i].file)
            words = arena_printf(a, "%" STR_FMT "%s%s", STR_ARG(words), words.n ? " " : "",
                                 FILES[i].name);
    return words;
}

unsigned
integrity_files_parse(struct str words)
{
    unsigned files = 0;
    while (words.n) {
        struct str word = str_cut(&words, ' ');
        for (size_t i = 0; i < COUNT_OF(FILES); i++)
            if (str_eq(word, str_from(FILES[i].name)))
                files |= FILES[i].file;
    }
    return files;
}

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

static const char *
path_of(struct arena *a, const char *data_dir, const struct dataset_version *version,
        const char *name)
{
    return version_folder_path(a, data_dir, version->dataset_id, version->job_id, name);
}

/* The first damage is the one that is told. */
static void
note(struct check *c, enum integrity_file file, const struct err *reason)
{
    if (c->finding.damaged == 0)
        c->finding.reason = *reason;
    c->finding.damaged |= file;
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
    const char *path = path_of(&c->arena, c->data_dir, c->version, FILES[i].name);
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
    if (!ok)
        note(c, FILES[i].file, &reason);
    return true;
}

/* Of a version whose columns are whole: their sizes say whether it has trigrams. */
static bool
needs_trigrams(struct check *c, bool *is_needed, struct err *err)
{
    struct err why = {0};
    struct columns columns;
    const char *path = path_of(&c->arena, c->data_dir, c->version, COLUMNS_FILE_NAME);
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

bool
integrity_check(const char *data_dir, const struct dataset_version *version,
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
integrity_check_rows(const char *data_dir, const struct dataset_version *version,
                     struct err *err)
{
    scoped_arena a = {0};
    struct err reason = {0};
    uint64_t checksum;
    const char *path = path_of(&a, data_dir, version, ROWS_FILE_NAME);
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
