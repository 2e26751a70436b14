/* The index files of a version, made again from its rows.db, which is read twice, since the
 * columns file wants to know how much text each column has before the first row.  Each file is
 * written beside the old one, synced and verified, and only then renamed over it. */
#include "base/utf8.h"
#include "embedded/files.h"
#include "embedded/rows.h"
#include "index/tfidf.h"
#include "index/trigrams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

#define NEW_COLUMNS_NAME COLUMNS_FILE_NAME ".new"

/* The files made from the columns file; a version has those that its columns ask for. */
enum derived { TRIGRAMS, TFIDF, DERIVED_COUNT };
static const char *const DERIVED_NAMES[] = {TRIGRAMS_FILE_NAME, TFIDF_FILE_NAME};
static const char *const NEW_DERIVED_NAMES[] = {TRIGRAMS_FILE_NAME ".new",
                                                TFIDF_FILE_NAME ".new"};

struct reindex {
    struct arena arena;
    const struct dataset_version *version;
    struct schema schema;
    int folder; /* locked, so that one works in it at a time */
    struct rows *rows;
    size_t *wanted; /* every column */
    struct value *values;
    struct columns_spec *specs;
    int columns_fd;
    struct columns columns;
    struct trigrams trigrams;
    struct tfidf tfidf;
    bool is_wanted[DERIVED_COUNT];
};

static void
end_reindex(struct reindex *r)
{
    rows_close(&r->rows);
    tfidf_close(&r->tfidf);
    trigrams_close(&r->trigrams);
    columns_close(&r->columns);
    fs_close(&r->columns_fd);
    fs_close(&r->folder);
    arena_free(&r->arena);
}
#define scoped_reindex SCOPED(end_reindex) struct reindex

static bool
open_folder(struct reindex *r, const char *path, struct err *err)
{
    r->folder = fs_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, err);
    if (r->folder < 0)
        return false;
    while (flock(r->folder, LOCK_EX))
        if (errno != EINTR)
            return err_set_errno(err, "locking %s", path);
    return true;
}

static bool
open_rows(struct reindex *r, const char *folder, struct err *err)
{
    const char *path = arena_printf(&r->arena, "%s/" ROWS_FILE_NAME, folder).p;
    size_t count = r->schema.column_count;
    r->wanted = arena_array(&r->arena, count, size_t);
    r->values = arena_array(&r->arena, count, struct value);
    r->specs = arena_array(&r->arena, count, struct columns_spec);
    for (size_t i = 0; i < count; i++) {
        r->specs[i].type = r->schema.columns[i].type;
        r->wanted[i] = i;
    }
    r->rows = embedded_rows_open(&r->arena, path, &r->schema, err);
    return r->rows != NULL;
}

/* The values of row `number`, from 1, valid until the next one. */
static bool
read_row(struct reindex *r, uint64_t number, struct err *err)
{
    int got = rows_get(r->rows, number, r->wanted, r->schema.column_count, r->values, err);
    if (got == 0)
        return err_set(err, ERR_INTERNAL,
                       "rows.db of version %lld has no row %llu of %lld; import the dataset "
                       "again",
                       (long long)r->version->number, (unsigned long long)number,
                       (long long)r->version->row_count);
    return got == 1;
}

static bool
measure(struct reindex *r, struct err *err)
{
    for (uint64_t n = 1; n <= (uint64_t)r->version->row_count; n++) {
        if (!read_row(r, n, err))
            return false;
        for (size_t i = 0; i < r->schema.column_count; i++)
            if (column_type_is_textual(r->specs[i].type))
                r->specs[i].text_bytes_max += utf8_folded_bytes_max(r->values[i].text);
    }
    return true;
}

static bool
add_rows(struct reindex *r, struct columns_builder *b, struct err *err)
{
    scoped_arena row = {0};
    for (uint64_t n = 1; n <= (uint64_t)r->version->row_count; n++) {
        if (!read_row(r, n, err))
            return false;
        for (size_t i = 0; i < r->schema.column_count; i++) {
            struct str *elements = NULL;
            size_t count = 0;
            if (r->specs[i].type == COLUMN_LIST)
                schema_split_list(&row, &r->schema.columns[i], r->values[i].text, &elements,
                                  &count);
            r->values[i].elements = elements;
            r->values[i].element_count = count;
        }
        if (!columns_build_add(b, r->values, err))
            return false;
        arena_reset(&row);
    }
    return true;
}

/* What a process that was killed here left is written over. */
static int
open_new(struct reindex *r, const char *name, struct err *err)
{
    return fs_open_at(r->folder, name, O_RDWR | O_CREAT | O_TRUNC, err);
}

static bool
build_columns(struct reindex *r, struct err *err)
{
    size_t count = r->schema.column_count;
    struct column_summary *summaries = arena_array(&r->arena, count, struct column_summary);
    r->columns_fd = open_new(r, NEW_COLUMNS_NAME, err);
    if (r->columns_fd < 0)
        return false;
    struct columns_builder *b = columns_build_begin(r->columns_fd, r->specs, count,
                                                    (uint64_t)r->version->row_count, err);
    bool ok = b && add_rows(r, b, err) && columns_build_finish(&b, summaries, err);
    columns_build_cancel(&b);
    return ok && fs_sync(r->columns_fd, err) &&
           columns_open(&r->arena, &r->columns, r->columns_fd, err) &&
           columns_verify(&r->columns, err);
}

static bool
build_trigrams(struct reindex *r, struct err *err)
{
    r->is_wanted[TRIGRAMS] = trigrams_are_wanted(&r->columns, TRIGRAMS_TEXT_BYTES_MIN);
    if (!r->is_wanted[TRIGRAMS])
        return true;
    scoped_fd fd = open_new(r, NEW_DERIVED_NAMES[TRIGRAMS], err);
    return fd >= 0 && trigrams_build(fd, &r->columns, TRIGRAMS_TEXT_BYTES_MIN, NULL, err) &&
           fs_sync(fd, err) && trigrams_open(&r->arena, &r->trigrams, fd, &r->columns, err) &&
           trigrams_verify(&r->trigrams, err);
}

static bool
build_tfidf(struct reindex *r, struct err *err)
{
    size_t *similar, count = schema_similar_columns(&r->arena, &r->schema, &similar);
    r->is_wanted[TFIDF] = count > 0;
    if (count == 0)
        return true;
    scoped_fd fd = open_new(r, NEW_DERIVED_NAMES[TFIDF], err);
    return fd >= 0 && tfidf_build(fd, &r->columns, similar, count, 0, 0, NULL, err) &&
           fs_sync(fd, err) && tfidf_open(&r->tfidf, fd, r->columns.row_count, err) &&
           tfidf_verify(&r->tfidf, err);
}

static bool
move_over(struct reindex *r, const char *new_name, const char *name, struct err *err)
{
    return renameat(r->folder, new_name, r->folder, name) == 0 ||
           err_set_errno(err, "renaming %s", new_name);
}

static bool
take_over(struct reindex *r, struct err *err)
{
    for (enum derived d = 0; d < DERIVED_COUNT; d++) {
        bool ok = r->is_wanted[d] ? move_over(r, NEW_DERIVED_NAMES[d], DERIVED_NAMES[d], err)
                                  : fs_remove_tree(r->folder, DERIVED_NAMES[d], err);
        if (!ok)
            return false;
    }
    return move_over(r, NEW_COLUMNS_NAME, COLUMNS_FILE_NAME, err) && fs_sync(r->folder, err);
}

bool
embedded_reindex(const char *data_dir, const struct dataset_version *version, struct err *err)
{
    scoped_reindex r = {.version = version, .folder = -1, .columns_fd = -1};
    const char *folder = embedded_path(&r.arena, data_dir, version, "");
    if (!schema_parse_json(&r.arena, version->schema_json, &r.schema, err) ||
        !open_folder(&r, folder, err))
        return false;
    if (embedded_check_rows(data_dir, version, err) && open_rows(&r, folder, err) &&
        measure(&r, err) && build_columns(&r, err) && build_trigrams(&r, err) &&
        build_tfidf(&r, err) && take_over(&r, err))
        return true;
    struct err ignored;
    (void)!fs_remove_tree(r.folder, NEW_COLUMNS_NAME, &ignored);
    for (enum derived d = 0; d < DERIVED_COUNT; d++)
        (void)!fs_remove_tree(r.folder, NEW_DERIVED_NAMES[d], &ignored);
    return false;
}
