/* Some migrations were edited after they had been released, before `make lint` forbade it.  A
 * file made by an earlier text is changed to what the present text makes:
 *
 *     rename its tables  ->  run the present text  ->  copy the rows  ->  drop the old tables
 *
 * so that its definitions are the present ones to the letter.  A column that the earlier text
 * did not have gets its default, or the expression in FILLS; a column that the present text no
 * longer has is not copied.  All of it is one transaction, which commits only after the whole
 * schema was found equal to one made by the present texts alone. */
#include "store/db_internal.h"

#include "base/buf.h"

#include <string.h>

#define SCHEMA_BYTES_MAX MIB
#define NAMES_MAX 64

/* SHA-256 of each earlier text, in the order in which they were released. */
static const struct {
    int64_t number;
    const char *sha256;
} EARLIER[] = {
    {1, "c5130b6a48c50c8b1d193227aeef515be179085822c183ef3dc9d38cc259b39c"},
    {4, "77180108e1cb9a02c682db8c6c54ec9b0024ecd70631caf2d269482ddfc1b9ef"},
    {4, "ec5616bfc3bd51637477290d70a744075beef1f164da9ddb23ab95bd62ef3554"},
    {4, "14d794b67d2dd58c3969049e7eea4119d7a91cbd61f5c1efbdb4fbc37908ce65"},
    {4, "6947125ac941cca60afbeb11b3749e33b50b38f7a0851dffc0d40182f3ab63ff"},
    {4, "f261d23d3e1bb5365e557b7e2523e6989121255226f9c790aa1c8acbe5f1c24d"},
    {4, "1ed8e7c3e926e783a851d8859158b56d0fd33451d825813df2cbf63c5a76c02b"},
    {4, "093258ba926fac4aceace600ef9954670afef5a112caef10f39bb30c7b892241"},
    {4, "12d6a46ad32e367dd56f55e1e54f8b7a726a31ffea614286158dda5631b4ed08"},
    {4, "1e74cf269ed9a31cdc3fd109e7e8432d49633b84248f9bf8af7c13b288f7c290"},
    {5, "1498baffcf3e0dade34c151a3801a72ce0cfe1e622e30e7742d89f13a533d652"},
};

/* For a column that an earlier row (e) does not have, the expression that fills it.  Times of
 * use are only compared with each other, and one that is too early cannot displace a newer
 * one. */
static const struct {
    const char *table, *column, *value;
} FILLS[] = {
    {"session", "used_at", "e.created_at"},
    {"session_used_refresh", "used_at",
     "(SELECT s.created_at FROM earlier_session s WHERE s.id = e.session_id)"},
    {"session_used_refresh", "expires_at",
     "(SELECT s.expires_at FROM earlier_session s WHERE s.id = e.session_id)"},
    {"report", "place",
     "(SELECT count(*) FROM earlier_report o WHERE o.job_id = e.job_id AND o.name < e.name)"},
};

bool
migrate_is_earlier(int64_t number, const char *sha256)
{
    for (size_t i = 0; i < COUNT_OF(EARLIER); i++)
        if (EARLIER[i].number == number && strcmp(EARLIER[i].sha256, sha256) == 0)
            return true;
    return false;
}

/* The first column of all rows; there must be at most NAMES_MAX rows. */
static bool
read_texts(struct arena *a, sqlite3 *handle, const char *sql, const char **out,
           size_t *out_count, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        assert(count < NAMES_MAX);
        out[count++] = arena_cstr(a, str_from((const char *)sqlite3_column_text(stmt, 0)));
    }
    bool ok = rc == SQLITE_DONE || sqlite_fail(handle, rc, sql, err);
    sqlite3_finalize(stmt);
    *out_count = count;
    return ok;
}

static void
close_handle(sqlite3 **handle)
{
    sqlite3_close_v2(*handle);
}
#define scoped_handle SCOPED(close_handle) sqlite3 *

static sqlite3 *
open_memory(struct err *err)
{
    return sqlite_open(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
}

/* The tables that a migration makes, found by running it. */
static bool
list_tables(struct arena *a, const struct embed_file *file, const char **out, size_t *out_count,
            struct err *err)
{
    scoped_handle scratch = open_memory(err);
    return scratch && sqlite_exec(scratch, file->text.p, err) &&
           read_texts(a, scratch,
                      "SELECT name FROM sqlite_schema"
                      " WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
                      out, out_count, err);
}

/* Drops the indexes and triggers of a table, which keep their names when the table is renamed.
 * Those that the operator added are not restored. */
static bool
set_aside(struct arena *a, struct db *db, const char *table, struct err *err)
{
    const char *drops[NAMES_MAX];
    size_t count;
    const char *sql = arena_printf(a,
                                   "SELECT 'DROP ' || type || ' \"' || name || '\"'"
                                   " FROM sqlite_schema WHERE tbl_name = '%s'"
                                   " AND type IN ('index', 'trigger') AND sql IS NOT NULL",
                                   table)
                          .p;
    if (!read_texts(a, db->handle, sql, drops, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!sqlite_exec(db->handle, drops[i], err))
            return false;
    return sqlite_exec(db->handle,
                       arena_printf(a, "ALTER TABLE %s RENAME TO earlier_%s", table, table).p,
                       err);
}

static const char *
find_fill(const char *table, const char *column)
{
    for (size_t i = 0; i < COUNT_OF(FILLS); i++)
        if (strcmp(FILLS[i].table, table) == 0 && strcmp(FILLS[i].column, column) == 0)
            return FILLS[i].value;
    return NULL;
}

static bool
list_columns(struct arena *a, struct db *db, const char *prefix, const char *table,
             const char **out, size_t *out_count, struct err *err)
{
    const char *sql =
        arena_printf(a, "SELECT name FROM pragma_table_info('%s%s')", prefix, table).p;
    return read_texts(a, db->handle, sql, out, out_count, err);
}

static bool
has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* INSERT INTO session (id, used_at, ...) SELECT e.id, e.created_at, ... FROM earlier_session e
 */
static bool
copy_rows(struct arena *a, struct db *db, const char *table, struct err *err)
{
    const char *names[NAMES_MAX], *known[NAMES_MAX];
    size_t name_count, known_count;
    if (!list_columns(a, db, "", table, names, &name_count, err) ||
        !list_columns(a, db, "earlier_", table, known, &known_count, err))
        return false;
    scoped_buf columns, values;
    buf_init(&columns, 4 * KIB);
    buf_init(&values, 4 * KIB);
    for (size_t i = 0; i < name_count; i++) {
        bool is_known = has_name(known, known_count, names[i]);
        const char *value =
            is_known ? arena_printf(a, "e.%s", names[i]).p : find_fill(table, names[i]);
        if (!value)
            continue; /* its default */
        buf_printf(&columns, "%s%s", columns.n ? ", " : "", names[i]);
        buf_printf(&values, "%s%s", values.n ? ", " : "", value);
    }
    const char *sql =
        arena_printf(a, "INSERT INTO %s (%" STR_FMT ") SELECT %" STR_FMT " FROM earlier_%s e",
                     table, STR_ARG(buf_str(&columns)), STR_ARG(buf_str(&values)), table)
            .p;
    return sqlite_exec(db->handle, sql, err);
}

/* Keeps the AUTOINCREMENT counters: an id is not given out again after its row was deleted. */
static bool
keep_sequence(struct arena *a, struct db *db, const char *table, struct err *err)
{
    return sqlite_exec(db->handle,
                       arena_printf(a,
                                    "DELETE FROM sqlite_sequence WHERE name = '%s';"
                                    "INSERT INTO sqlite_sequence (name, seq)"
                                    " SELECT '%s', seq FROM sqlite_sequence"
                                    " WHERE name = 'earlier_%s' AND EXISTS ("
                                    "SELECT 1 FROM sqlite_schema WHERE name = '%s'"
                                    " AND sql LIKE '%%AUTOINCREMENT%%');",
                                    table, table, table, table)
                           .p,
                       err);
}

static bool
rewrite(struct db *db, int64_t number, struct err *err)
{
    scoped_arena a = {0};
    const struct embed_file *file = &EMBED_MIGRATIONS[number - 1];
    const char *tables[NAMES_MAX];
    size_t count;
    if (!list_tables(&a, file, tables, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!set_aside(&a, db, tables[i], err))
            return false;
    if (!sqlite_exec(db->handle, file->text.p, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!copy_rows(&a, db, tables[i], err))
            return false;
    for (size_t i = 0; i < count; i++)
        if (!keep_sequence(&a, db, tables[i], err) ||
            !sqlite_exec(db->handle, arena_printf(&a, "DROP TABLE earlier_%s", tables[i]).p,
                         err))
            return false;
    return true;
}

/* Every definition of the schema, in an order independent of when each was made. */
static bool
print_schema(sqlite3 *handle, struct buf *out, struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    const char *sql = "SELECT group_concat(line, char(10)) FROM (SELECT type || ' ' || name || "
                      "' ' || tbl_name || ' ' || coalesce(sql, '') AS line FROM sqlite_schema"
                      " ORDER BY type, name)";
    int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        buf_add(out, str_from((const char *)sqlite3_column_text(stmt, 0)));
    bool ok = rc == SQLITE_ROW || sqlite_fail(handle, rc, "reading the schema", err);
    sqlite3_finalize(stmt);
    return ok;
}

static bool
check_schema(struct db *db, int64_t version, struct err *err)
{
    scoped_handle fresh = open_memory(err);
    scoped_buf expected, found;
    buf_init(&expected, SCHEMA_BYTES_MAX);
    buf_init(&found, SCHEMA_BYTES_MAX);
    if (!fresh)
        return false;
    for (int64_t number = 1; number <= version; number++)
        if (!sqlite_exec(fresh, EMBED_MIGRATIONS[number - 1].text.p, err))
            return false;
    if (!print_schema(fresh, &expected, err) || !print_schema(db->handle, &found, err))
        return false;
    return str_eq(buf_str(&expected), buf_str(&found)) ||
           err_set_code(err, ERR_INTERNAL, "schema_version",
                        "%s has an earlier schema and something else besides; nothing was "
                        "changed",
                        db->path);
}

/* Foreign keys are off while tables are dropped that others refer to, so all are checked here.
 */
static bool
check_references(struct db *db, struct err *err)
{
    int64_t broken_count;
    if (!sqlite_read_i64(db->handle, "SELECT count(*) FROM pragma_foreign_key_check",
                         &broken_count, err))
        return false;
    return broken_count == 0 ||
           err_set_code(err, ERR_INTERNAL, "schema_version",
                        "%s has %lld rows that refer to rows that are not there; nothing was "
                        "changed",
                        db->path, (long long)broken_count);
}

static bool
rewrite_all(struct db *db, const bool *is_earlier, int64_t version, struct err *err)
{
    scoped_tx tx = {0};
    if (!db_begin(db, &tx, err))
        return false;
    for (int64_t number = 1; number <= version; number++)
        if (is_earlier[number - 1] &&
            (!rewrite(db, number, err) || !migrate_record_digest(db, number, err)))
            return false;
    return check_schema(db, version, err) && check_references(db, err) && db_commit(&tx, err);
}

bool
migrate_rewrite_earlier(struct db *db, const bool *is_earlier, int64_t version, struct err *err)
{
    struct err ignored;
    /* Neither pragma can be changed within a transaction.  With legacy_alter_table a reference
     * to a renamed table is left as it is: by name, and so to the new table. */
    bool ok = sqlite_exec(db->handle, "PRAGMA foreign_keys = 0; PRAGMA legacy_alter_table = 1",
                          err) &&
              rewrite_all(db, is_earlier, version, err);
    bool is_reset =
        sqlite_exec(db->handle, "PRAGMA foreign_keys = 1; PRAGMA legacy_alter_table = 0",
                    ok ? err : &ignored);
    return ok && is_reset;
}
