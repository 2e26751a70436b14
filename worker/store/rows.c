/* Reading rows.db.  The file never changes once it is published: immutable=1 saves locks and
 * the search for a journal, and pages are read straight from the map.
 *
 * A request asks for the same fields row after row, and most requests for one of a few sets of
 * fields, so a statement is cached per set; the least recently used one is replaced. */
#include "store/rows.h"

#include "base/date.h"
#include "base/mem.h"
#include "store/rows_lines.h"
#include "store/sqlite.h"

#include <stdlib.h>
#include <string.h>

#define FIELD_SETS_MAX 8
/* SQLite's own maximum is 2 GiB; pages beyond it are read with pread. */
#define MMAP_BYTES "2147418112"

struct field_set {
    sqlite3_stmt *stmt; /* NULL: the entry is free */
    size_t *wanted;
    size_t count;
    uint64_t used_at; /* value of call_count at the last use */
};

struct rows {
    sqlite3 *handle;
    struct arena arena; /* of this struct, too */
    const struct rows_column *columns;
    size_t column_count;
    const char *rowid_name;
    struct field_set sets[FIELD_SETS_MAX];
    struct field_set *current; /* whose row the last call returned */
    uint64_t call_count;
    struct rows_lines lines; /* opened when first asked for */
    bool has_lines;
};

static bool
has_column(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->column_count; i++)
        if (str_eq_ascii_nocase(rows->columns[i].name, str_from(name)))
            return true;
    return false;
}

/* SQLite has three names for the row number; columns may have taken two of them. */
static const char *
find_rowid_name(const struct rows *rows)
{
    static const char *const NAMES[] = {"rowid", "_rowid_", "oid"};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (!has_column(rows, NAMES[i]))
            return NAMES[i];
    return NULL;
}

static struct rows *
new_rows(sqlite3 *handle, const struct rows_column *columns, size_t column_count)
{
    struct arena arena = {0};
    struct rows *rows = arena_new(&arena, struct rows);
    struct rows_column *copy = arena_array(&arena, column_count, struct rows_column);
    for (size_t i = 0; i < column_count; i++) {
        copy[i] = columns[i];
        copy[i].name = arena_str(&arena, columns[i].name);
    }
    rows->handle = handle;
    rows->columns = copy;
    rows->column_count = column_count;
    rows->rowid_name = find_rowid_name(rows);
    rows->arena = arena;
    return rows;
}

struct rows *
rows_open(const char *path, const struct rows_column *columns, size_t column_count,
          struct err *err)
{
    scoped_arena a = {0};
    sqlite3 *handle = sqlite_open(sqlite_uri(&a, path, "immutable=1"),
                                  SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, err);
    if (!handle)
        return NULL;
    struct rows *rows = new_rows(handle, columns, column_count);
    if (!rows->rowid_name)
        err_set(err, ERR_INVALID,
                "columns named rowid, _rowid_ and oid leave no name for the row number");
    if (!rows->rowid_name || !sqlite_exec(handle,
                                          "PRAGMA mmap_size = " MMAP_BYTES ";"
                                          "PRAGMA cache_size = -1024;",
                                          err))
        rows_close(&rows);
    return rows;
}

static void
drop_set(struct field_set *set)
{
    sqlite3_finalize(set->stmt);
    free(set->wanted);
    *set = (struct field_set){0};
}

void
rows_close(struct rows **rows)
{
    if (!*rows)
        return;
    for (size_t i = 0; i < FIELD_SETS_MAX; i++)
        drop_set(&(*rows)->sets[i]);
    rows_lines_close(&(*rows)->lines);
    sqlite3_close_v2((*rows)->handle);
    struct arena arena = (*rows)->arena;
    *rows = NULL;
    arena_free(&arena);
}

/* The file never changes and the SQL is fixed, so an error of SQLite means that the file is
 * damaged, unless it is a shortage. */
static bool
fail(struct rows *rows, int rc, struct err *err)
{
    sqlite_fail(rows->handle, rc, "reading rows.db", err);
    if (err_is_shortage(err))
        return false;
    return err_set_code(err, ERR_BUSY, "version_damaged", "rows.db cannot be read: %s",
                        sqlite3_errmsg(rows->handle));
}

static bool
fill_set(struct rows *rows, struct field_set *set, const size_t *wanted, size_t count,
         struct err *err)
{
    scoped_buf sql;
    buf_init(&sql, 4 * MIB);
    /* Exactly the fields asked for: 2,000 is also SQLite's limit for a result. */
    buf_printf(&sql, "SELECT %s", count ? "" : "1");
    for (size_t i = 0; i < count; i++) {
        assert(wanted[i] < rows->column_count);
        buf_printf(&sql, "%s\"%" STR_FMT "\"", i ? "," : "",
                   STR_ARG(rows->columns[wanted[i]].name));
    }
    buf_printf(&sql, " FROM rows WHERE %s = ?1", rows->rowid_name);
    int rc = sqlite3_prepare_v3(rows->handle, sql.p, (int)sql.n, SQLITE_PREPARE_PERSISTENT,
                                &set->stmt, NULL);
    if (rc != SQLITE_OK)
        return fail(rows, rc, err);
    set->wanted = mem_array(count, size_t);
    if (count)
        memcpy(set->wanted, wanted, count * sizeof(*wanted));
    set->count = count;
    return true;
}

static struct field_set *
find_set(struct rows *rows, const size_t *wanted, size_t count, struct err *err)
{
    struct field_set *oldest = &rows->sets[0];
    for (size_t i = 0; i < FIELD_SETS_MAX; i++) {
        struct field_set *set = &rows->sets[i];
        if (set->stmt && set->count == count &&
            (count == 0 || memcmp(set->wanted, wanted, count * sizeof(*wanted)) == 0))
            return set;
        if (set->used_at < oldest->used_at)
            oldest = set;
    }
    drop_set(oldest);
    return fill_set(rows, oldest, wanted, count, err) ? oldest : NULL;
}

static bool
read_value(sqlite3_stmt *stmt, int index, enum column_type type, struct value *out,
           struct err *err)
{
    *out = (struct value){.is_null = sqlite3_column_type(stmt, index) == SQLITE_NULL};
    if (out->is_null)
        return true;
    if (type == COLUMN_REAL) {
        out->d = sqlite3_column_double(stmt, index);
        return true;
    }
    if (type == COLUMN_INTEGER || type == COLUMN_BOOLEAN) {
        out->i = sqlite3_column_int64(stmt, index);
        return true;
    }
    const char *p = (const char *)sqlite3_column_text(stmt, index);
    struct str text = {p ? p : "", (size_t)sqlite3_column_bytes(stmt, index)};
    if (column_type_is_textual(type)) {
        out->text = text;
        return true;
    }
    bool ok = type == COLUMN_DATE ? date_parse_iso(text, &out->i)
                                  : date_parse_timestamp(text, &out->i);
    return ok || err_set_code(err, ERR_BUSY, "version_damaged",
                              "rows.db holds '%" STR_FMT "' as a date", STR_ARG(text));
}

int
rows_get(struct rows *rows, uint64_t row_number, const size_t *wanted, size_t wanted_count,
         struct value *out, struct err *err)
{
    if (rows->current)
        sqlite3_reset(rows->current->stmt);
    rows->current = NULL;
    struct field_set *set = find_set(rows, wanted, wanted_count, err);
    if (!set)
        return -1;
    set->used_at = ++rows->call_count;
    rows->current = set;
    if (row_number > INT64_MAX)
        return 0;
    sqlite3_bind_int64(set->stmt, 1, (int64_t)row_number);
    int rc = sqlite3_step(set->stmt);
    if (rc == SQLITE_DONE)
        return 0;
    if (rc != SQLITE_ROW) {
        fail(rows, rc, err);
        return -1;
    }
    for (size_t i = 0; i < wanted_count; i++)
        if (!read_value(set->stmt, (int)i, rows->columns[wanted[i]].type, &out[i], err))
            return -1;
    return 1;
}

bool
rows_line(struct rows *rows, uint64_t row_number, uint64_t *line, struct err *err)
{
    if (!rows->has_lines && !rows_lines_open(&rows->lines, rows->handle, err))
        return false;
    rows->has_lines = true;
    return rows_lines_get(&rows->lines, row_number, line, err);
}
