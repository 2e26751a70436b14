/* The named statements of store/queries/ *.sql, and one use of each.
 *
 *     file      = { preamble comment } { "-- name: " NAME newline { comment line } SQL }
 *
 * All are prepared when the database is opened and found by binary search.  A reader keeps only
 * those that change nothing, since it cannot run the others, which are the larger half of the
 * memory, in each of many workers. */
#include "store/db_internal.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MARK "-- name: "

/* Offset of the next "-- name: " that begins a line, or text.n. */
static size_t
find_mark(struct str text, size_t from)
{
    while (from < text.n) {
        ptrdiff_t at = str_find(str_skip(text, from), STR(NAME_MARK));
        if (at < 0)
            return text.n;
        from += (size_t)at;
        if (from == 0 || text.p[from - 1] == '\n')
            return from;
        from++;
    }
    return text.n;
}

static size_t
count_marks(void)
{
    size_t count = 0;
    for (size_t i = 0; i < EMBED_QUERIES_COUNT; i++) {
        struct str text = EMBED_QUERIES[i].text;
        for (size_t at = find_mark(text, 0); at < text.n; at = find_mark(text, at + 1))
            count++;
    }
    return count;
}

static bool
prepare(struct db *db, struct stmt *stmt, struct str sql, struct err *err)
{
    const char *tail;
    stmt->db = db->handle;
    int rc = sqlite3_prepare_v3(db->handle, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT,
                                &stmt->handle, &tail);
    if (rc != SQLITE_OK) {
        const char *doing =
            arena_printf(&db->arena, "preparing %" STR_FMT, STR_ARG(stmt->name)).p;
        return sqlite_fail(db->handle, rc, doing, err);
    }
    struct str rest = str_trim(str_skip(sql, (size_t)(tail - sql.p)));
    if (!stmt->handle || (rest.n && !str_starts(rest, STR("--"))))
        return err_set(err, ERR_INTERNAL, "the query %" STR_FMT " is not one statement",
                       STR_ARG(stmt->name));
    return true;
}

static bool
prepare_file(struct db *db, struct str text, bool is_reader, struct err *err)
{
    size_t at = find_mark(text, 0);
    while (at < text.n) {
        size_t end = find_mark(text, at + 1);
        struct str sql = str_slice(text, at + strlen(NAME_MARK), end);
        struct stmt *stmt = &db->stmts[db->stmt_count++];
        stmt->name = str_trim(str_cut(&sql, '\n'));
        if (!prepare(db, stmt, sql, err))
            return false;
        if (is_reader && !sqlite3_stmt_readonly(stmt->handle)) {
            sqlite3_finalize(stmt->handle);
            stmt->handle = NULL;
        }
        at = end;
    }
    return true;
}

static int
compare_names(const void *a, const void *b)
{
    return str_cmp(((const struct stmt *)a)->name, ((const struct stmt *)b)->name);
}

bool
stmt_prepare_all(struct db *db, bool is_reader, struct err *err)
{
    db->stmts = arena_array(&db->arena, count_marks(), struct stmt);
    for (size_t i = 0; i < EMBED_QUERIES_COUNT; i++)
        if (!prepare_file(db, EMBED_QUERIES[i].text, is_reader, err))
            return false;
    qsort(db->stmts, db->stmt_count, sizeof(*db->stmts), compare_names);
    for (size_t i = 1; i < db->stmt_count; i++)
        if (compare_names(&db->stmts[i - 1], &db->stmts[i]) == 0)
            return err_set(err, ERR_INTERNAL, "two queries are named %" STR_FMT,
                           STR_ARG(db->stmts[i].name));
    return true;
}

void
stmt_finalize_all(struct db *db)
{
    for (size_t i = 0; i < db->stmt_count; i++)
        sqlite3_finalize(db->stmts[i].handle);
    db->stmt_count = 0;
}

struct stmt *
db_stmt(struct db *db, const char *name)
{
    struct stmt key = {.name = str_from(name)};
    struct stmt *found = bsearch(&key, db->stmts, db->stmt_count, sizeof(key), compare_names);
    assert(found && found->handle && !found->is_in_use);
    found->is_in_use = true;
    found->bind_rc = SQLITE_OK;
    return found;
}

void
stmt_done(struct stmt **s)
{
    if (!*s)
        return;
    sqlite3_reset((*s)->handle);
    sqlite3_clear_bindings((*s)->handle);
    (*s)->is_in_use = false;
    *s = NULL;
}

static void
note_bind(struct stmt *s, int rc)
{
    if (s->bind_rc == SQLITE_OK)
        s->bind_rc = rc;
}

void
stmt_bind_str(struct stmt *s, int index, struct str text)
{
    /* A NULL pointer would bind NULL; an empty str is empty text. */
    note_bind(s, sqlite3_bind_text64(s->handle, index, text.p ? text.p : "", text.n,
                                     SQLITE_STATIC, SQLITE_UTF8));
}

void
stmt_bind_blob(struct stmt *s, int index, struct str bytes)
{
    note_bind(s, sqlite3_bind_blob64(s->handle, index, bytes.p ? bytes.p : "", bytes.n,
                                     SQLITE_STATIC));
}

void
stmt_bind_i64(struct stmt *s, int index, int64_t v)
{
    note_bind(s, sqlite3_bind_int64(s->handle, index, v));
}

static int
fail_stmt(struct stmt *s, int rc, struct err *err)
{
    char doing[128] = {0};
    memcpy(doing, s->name.p, MIN(s->name.n, sizeof(doing) - 1));
    sqlite_fail(s->db, rc, doing, err);
    return -1;
}

int
stmt_step(struct stmt *s, struct err *err)
{
    if (s->bind_rc != SQLITE_OK)
        return fail_stmt(s, s->bind_rc, err);
    int rc = sqlite3_step(s->handle);
    if (rc == SQLITE_ROW)
        return 1;
    return rc == SQLITE_DONE ? 0 : fail_stmt(s, rc, err);
}

bool
stmt_run(struct stmt *s, struct err *err)
{
    int got;
    while ((got = stmt_step(s, err)) == 1)
        continue;
    return got == 0;
}

bool
stmt_run_i64(struct stmt *s, int64_t *out, struct err *err)
{
    int got = stmt_step(s, err);
    if (got >= 0)
        *out = got == 1 ? stmt_i64(s, 0) : 0;
    return got >= 0;
}

struct str
stmt_str(struct stmt *s, int column)
{
    /* Before sqlite3_column_bytes, which gives the length after the conversion to text. */
    const char *p = (const char *)sqlite3_column_text(s->handle, column);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(s->handle, column)};
}

struct str
stmt_blob(struct stmt *s, int column)
{
    const char *p = sqlite3_column_blob(s->handle, column);
    return (struct str){p ? p : "", (size_t)sqlite3_column_bytes(s->handle, column)};
}

int64_t
stmt_i64(struct stmt *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

bool
stmt_is_null(struct stmt *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}
