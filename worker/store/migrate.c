/* Migrations: store/migrations/NNNN_name.sql, numbered from 0001 without a gap, forward only.
 * PRAGMA user_version is the number of the last one that ran.  The table `migration`, made by
 * the first one, keeps the digest of every text that ran, so that a file made by other texts
 * of the same number is refused when it is opened. */
#include "store/db_internal.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

static void
assert_numbered(void)
{
    for (size_t i = 0; i < EMBED_MIGRATIONS_COUNT; i++) {
        uint64_t number = 0;
        struct str name = EMBED_MIGRATIONS[i].name;
        bool is_number = num_parse_u64(str_slice(name, 0, 4), &number);
        assert(is_number && number == i + 1);
    }
}

/* The digest in the file of migration `number`; "" when there is none. */
static bool
read_digest(struct db *db, int64_t number, char hex[SHA256_HEX_BYTES + 1], struct err *err)
{
    sqlite3_stmt *stmt = NULL;
    hex[0] = '\0';
    int rc = sqlite3_prepare_v2(db->handle, "SELECT sha256 FROM migration WHERE number = ?1",
                                -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_int64(stmt, 1, number);
        rc = sqlite3_step(stmt);
    }
    if (rc == SQLITE_ROW && sqlite3_column_bytes(stmt, 0) == SHA256_HEX_BYTES)
        memcpy(hex, sqlite3_column_text(stmt, 0), SHA256_HEX_BYTES + 1);
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE ||
              sqlite_fail(db->handle, rc, "reading the migrations", err);
    sqlite3_finalize(stmt);
    return ok;
}

/* Migrations 1 to `version` of the file must be the binary's, or earlier texts that it knows.
 */
static bool
check_digests(struct db *db, int64_t version, bool *is_earlier, struct err *err)
{
    for (int64_t number = 1; number <= version; number++) {
        const struct embed_file *file = &EMBED_MIGRATIONS[number - 1];
        char expected[SHA256_HEX_BYTES + 1], found[SHA256_HEX_BYTES + 1];
        sha256_hex(file->text, expected);
        if (!read_digest(db, number, found, err))
            return false;
        is_earlier[number - 1] = migrate_is_earlier(number, found);
        if (!is_earlier[number - 1] && strcmp(expected, found) != 0)
            return err_set_code(err, ERR_INTERNAL, "schema_version",
                                "%s was migrated by another text of %" STR_FMT
                                " than this program has",
                                db->path, STR_ARG(file->name));
    }
    return true;
}

static bool
read_version(struct db *db, int64_t *version, struct err *err)
{
    if (!sqlite_read_i64(db->handle, "PRAGMA user_version", version, err))
        return false;
    if (*version < 0 || *version > (int64_t)EMBED_MIGRATIONS_COUNT)
        return err_set_code(err, ERR_INTERNAL, "schema_version",
                            "%s has schema version %lld and this program knows 0 to %zu",
                            db->path, (long long)*version, EMBED_MIGRATIONS_COUNT);
    return true;
}

bool
db_read_identity(struct db *db, struct db_identity *out, struct err *err)
{
    struct db_identity identity = {0};
    int64_t has_table;
    if (!sqlite_read_i64(db->handle, "PRAGMA user_version", &identity.schema, err) ||
        !sqlite_read_i64(db->handle,
                         "SELECT count(*) FROM sqlite_schema WHERE name = 'data_directory'",
                         &has_table, err))
        return false;
    if (has_table) {
        sqlite3_stmt *stmt = NULL;
        const char *sql = "SELECT id, catalogue_seq FROM data_directory";
        int rc = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);
        if (rc == SQLITE_OK)
            rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) {
            snprintf(identity.directory_id, sizeof(identity.directory_id), "%s",
                     (const char *)sqlite3_column_text(stmt, 0));
            identity.catalogue_seq = sqlite3_column_int64(stmt, 1);
        }
        bool ok = rc == SQLITE_ROW || sqlite_fail(db->handle, rc, sql, err);
        sqlite3_finalize(stmt);
        if (!ok)
            return false;
    }
    *out = identity;
    return true;
}

bool
migrate_check(struct db *db, struct err *err)
{
    scoped_arena a = {0};
    int64_t version;
    bool *is_earlier = arena_array(&a, EMBED_MIGRATIONS_COUNT, bool);
    if (!read_version(db, &version, err))
        return false;
    if (version < (int64_t)EMBED_MIGRATIONS_COUNT)
        return err_set_code(err, ERR_INTERNAL, "schema_version",
                            "%s has schema version %lld and needs %zu: run playmeter migrate",
                            db->path, (long long)version, EMBED_MIGRATIONS_COUNT);
    if (!check_digests(db, version, is_earlier, err))
        return false;
    for (int64_t number = 1; number <= version; number++)
        if (is_earlier[number - 1])
            return err_set_code(err, ERR_INTERNAL, "schema_version",
                                "%s has an earlier schema: run playmeter migrate", db->path);
    return true;
}

bool
migrate_record_digest(struct db *db, int64_t number, struct err *err)
{
    char hex[SHA256_HEX_BYTES + 1];
    sha256_hex(EMBED_MIGRATIONS[number - 1].text, hex);
    scoped_arena a = {0};
    return sqlite_exec(db->handle,
                       arena_printf(&a,
                                    "UPDATE migration SET sha256 = '%s' WHERE number = %lld",
                                    hex, (long long)number)
                           .p,
                       err);
}

static bool
apply(struct db *db, int64_t number, struct err *err)
{
    const struct embed_file *file = &EMBED_MIGRATIONS[number - 1];
    char hex[SHA256_HEX_BYTES + 1];
    sha256_hex(file->text, hex);
    scoped_arena a = {0};
    scoped_tx tx = {0};
    const char *sql = arena_printf(&a,
                                   "INSERT INTO migration (number, name, sha256, applied_at)"
                                   " VALUES (%lld, '%" STR_FMT "', '%s', %lld);"
                                   "PRAGMA user_version = %lld;",
                                   (long long)number, STR_ARG(file->name), hex,
                                   (long long)clock_now_ms(), (long long)number)
                          .p;
    return db_begin(db, &tx, err) && sqlite_exec(db->handle, file->text.p, err) &&
           sqlite_exec(db->handle, sql, err) && db_commit(&tx, err);
}

bool
db_migrate(struct db *db, int *applied_count, struct err *err)
{
    assert_numbered();
    scoped_arena a = {0};
    int64_t version;
    int count = 0;
    bool *is_earlier = arena_array(&a, EMBED_MIGRATIONS_COUNT, bool);
    if (!read_version(db, &version, err) || !check_digests(db, version, is_earlier, err))
        return false;
    for (int64_t number = 1; number <= version; number++)
        count += is_earlier[number - 1];
    if (count && !migrate_rewrite_earlier(db, is_earlier, version, err))
        return false;
    for (int64_t number = version + 1; number <= (int64_t)EMBED_MIGRATIONS_COUNT; number++) {
        if (!apply(db, number, err))
            return false;
        count++;
    }
    *applied_count = count;
    return true;
}
