/* See dataset.h: reading the catalogue.  What changes it is in dataset_operations.c. */
#include "catalogue/dataset.h"

#include "catalogue/integrity.h"

/* In the order of the columns in catalogue.sql. */
static struct dataset
read_dataset(struct arena *a, struct stmt *s)
{
    return (struct dataset){
        .id = stmt_i64(s, 0),
        .name = arena_str(a, stmt_str(s, 1)),
        .is_public = stmt_i64(s, 2) != 0,
        .created_at = stmt_i64(s, 3),
        .updated_at = stmt_i64(s, 4),
        .version = stmt_i64(s, 5),
        .wanted_version = stmt_i64(s, 6),
        .edition = stmt_i64(s, 7),
    };
}

static struct dataset_version
read_version(struct arena *a, struct stmt *s)
{
    return (struct dataset_version){
        .dataset_id = stmt_i64(s, 0),
        .number = stmt_i64(s, 1),
        .job_id = arena_str(a, stmt_str(s, 2)),
        .schema_json = arena_str(a, stmt_str(s, 3)),
        .summaries_json = arena_str(a, stmt_str(s, 4)),
        .row_count = stmt_i64(s, 5),
        .source_sha256 = arena_str(a, stmt_str(s, 6)),
        .source = arena_str(a, stmt_str(s, 7)),
        .label = arena_str(a, stmt_str(s, 8)),
        .source_bytes = stmt_i64(s, 9),
        .created_at = stmt_i64(s, 10),
        .is_current = stmt_i64(s, 11) != 0,
        .rows_checksum = (uint64_t)stmt_i64(s, 13),
        .edition = stmt_i64(s, 14),
        .checked_start = stmt_i64(s, 15),
        .checked_at = stmt_i64(s, 16),
        .damaged = integrity_files_parse(stmt_str(s, 17)),
        .damaged_at = stmt_i64(s, 18),
    };
}

static bool
list_datasets(struct arena *a, struct db *db, const char *statement, struct dataset **out,
              size_t *out_count, struct err *err)
{
    scoped_stmt s = db_stmt(db, statement);
    struct dataset *list = NULL;
    size_t count = 0, cap = 0;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        list = arena_grow(a, list, &cap, count + 1, sizeof(*list));
        list[count++] = read_dataset(a, s);
    }
    if (got < 0)
        return false;
    *out = list;
    *out_count = count;
    return true;
}

bool
dataset_list(struct arena *a, struct db *db, struct dataset **out, size_t *out_count,
             struct err *err)
{
    return list_datasets(a, db, "dataset_list", out, out_count, err);
}

bool
dataset_list_all(struct arena *a, struct db *db, struct dataset **out, size_t *out_count,
                 struct err *err)
{
    return list_datasets(a, db, "dataset_list_all", out, out_count, err);
}

static bool
refuse_unknown(struct db *db, struct str name, struct err *err)
{
    scoped_arena a = {0};
    struct dataset *list;
    size_t count;
    if (!dataset_list(&a, db, &list, &count, err))
        return false;
    struct suggestion near = suggest_begin(name);
    for (size_t i = 0; i < count; i++)
        suggest_offer(&near, list[i].name);
    return err_set(err, ERR_NOT_FOUND, "there is no dataset '%" STR_FMT "'%s", STR_ARG(name),
                   suggest_text(&near));
}

int
dataset_find(struct arena *a, struct db *db, struct str name, struct dataset *out,
             struct err *err)
{
    scoped_stmt s = db_stmt(db, "dataset_get");
    stmt_bind_str(s, 1, name);
    int got = stmt_step(s, err);
    if (got == 1)
        *out = read_dataset(a, s);
    return got;
}

bool
dataset_get(struct arena *a, struct db *db, struct str name, struct dataset *out,
            struct err *err)
{
    int got = dataset_find(a, db, name, out, err);
    return got == 0 ? refuse_unknown(db, name, err) : got == 1;
}

/* Why no version was found: no such dataset, nothing published, or no such number. */
static bool
refuse_version(struct db *db, struct str name, int64_t number, struct err *err)
{
    scoped_arena a = {0};
    struct dataset dataset;
    if (!dataset_get(&a, db, name, &dataset, err))
        return false;
    if (number == 0)
        return err_set_code(err, ERR_NOT_FOUND, "nothing_published",
                            "nothing has been imported into dataset '%" STR_FMT "' yet",
                            STR_ARG(name));
    return err_set(err, ERR_NOT_FOUND, "dataset '%" STR_FMT "' has no version %lld",
                   STR_ARG(name), (long long)number);
}

bool
dataset_version_get(struct arena *a, struct db *db, struct str name, int64_t number_or_0,
                    struct dataset_version *out, struct err *err)
{
    scoped_stmt s =
        db_stmt(db, number_or_0 ? "dataset_version_get" : "dataset_version_current");
    stmt_bind_str(s, 1, name);
    if (number_or_0)
        stmt_bind_i64(s, 2, number_or_0);
    int got = stmt_step(s, err);
    if (got == 0)
        return refuse_version(db, name, number_or_0, err);
    if (got < 0)
        return false;
    if (stmt_i64(s, 12) != 0)
        return err_set(err, ERR_GONE, "version %lld of dataset '%" STR_FMT "' is not kept",
                       (long long)number_or_0, STR_ARG(name));
    *out = read_version(a, s);
    return true;
}

bool
dataset_version_list(struct arena *a, struct db *db, struct str name,
                     struct dataset_version **out, size_t *out_count, struct err *err)
{
    struct dataset dataset;
    if (!dataset_get(a, db, name, &dataset, err))
        return false;
    scoped_stmt s = db_stmt(db, "dataset_version_list");
    stmt_bind_i64(s, 1, dataset.id);
    struct dataset_version *list = NULL;
    size_t count = 0, cap = 0;
    int got;
    while ((got = stmt_step(s, err)) == 1) {
        list = arena_grow(a, list, &cap, count + 1, sizeof(*list));
        list[count++] = read_version(a, s);
    }
    if (got < 0)
        return false;
    *out = list;
    *out_count = count;
    return true;
}
