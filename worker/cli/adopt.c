/* It takes the writer's lock, so it refuses to run beside a running service. */
#include "cli/adopt.h"

#include "base/fs.h"
#include "base/random.h"
#include "catalogue/adopt.h"
#include "cli/options.h"
#include "config/config.h"
#include "embedded/files.h"
#include "process/prepare.h"
#include "process/writer.h"

#include <stdio.h>
#include <sys/stat.h>

#define LINES_BYTES_MAX MIB

static bool
is_own_log(const char *path, bool *is_own, struct err *err)
{
    struct stat st;
    *is_own = false;
    if (stat(path, &st) || st.st_size == 0)
        return true;
    scoped_db db = db_open(path, DB_MIGRATE, err);
    return db && db_log_is_its_own(db, is_own, err);
}

/* Moves away a log whose database is missing or is an older copy: SQLite would delete the log,
 * or mix the two, though the matching database may still be found.  `aside` is its new name;
 * NULL when it stays. */
static bool
set_log_aside(struct arena *a, const char *path, const char *log, const char **aside,
              struct err *err)
{
    struct stat st;
    char suffix[9];
    bool is_own;
    *aside = NULL;
    if (stat(log, &st) || st.st_size == 0)
        return true;
    if (!is_own_log(path, &is_own, err) || is_own)
        return is_own;
    random_hex(suffix, 8);
    *aside = arena_printf(a, "%s.%s", log, suffix).p;
    return rename(log, *aside) == 0 || err_set_errno(err, "renaming %s", log);
}

static bool
migrate(const char *path, bool *is_new, struct err *err)
{
    int count;
    struct db_identity identity;
    scoped_db db = db_open(path, DB_MIGRATE, err);
    if (!db || !db_read_identity(db, &identity, err) || !db_migrate(db, &count, err))
        return false;
    *is_new = identity.schema == 0;
    return true;
}

static bool
adopt(const char *data_dir, struct buf *out, struct err *err)
{
    scoped_arena a = {0};
    bool is_new;
    const char *aside, *path = arena_printf(&a, "%s/" ROLE_DB, data_dir).p;
    const char *log = arena_printf(&a, "%s-wal", path).p;
    scoped_fd lock = writer_lock_try(data_dir, err);
    if (lock < 0 || !set_log_aside(&a, path, log, &aside, err))
        return false;
    if (!migrate(path, &is_new, err)) {
        /* The adoption failed, so the log gets its name back. */
        if (aside && rename(aside, log))
            return err_set_errno(err, "renaming %s back", aside);
        return false;
    }
    if (aside)
        buf_printf(out, "a log that is not this database's is kept as %s\n", aside);
    /* Declared after the lock, so closed before it is released. */
    scoped_db db = db_open(path, DB_WRITER, err);
    if (!db || !adopt_run(db, &EMBEDDED_FILES, data_dir, out, err))
        return false;
    db_take_log(db);
    if (is_new)
        buf_add_lit(out, "playmeter.db is new: players, wallets and events were in the old one "
                         "alone, and are not in it\n");
    return true;
}

int
cli_adopt(int argc, char **argv)
{
    const char *config_path, *data;
    scoped_arena a = {0};
    struct config config;
    struct err err = {0};
    scoped_buf out = {.max = LINES_BYTES_MAX};
    if (!options_parse_data(argc, argv, &config_path, &data))
        return 2;
    if (!prepare_command(&a, config_path, data, &config, &err) || !adopt(data, &out, &err)) {
        fprintf(stderr, "playmeter adopt: %s: %s\n", err_code(&err), err.detail);
        return 1;
    }
    fwrite(out.p, 1, out.n, stdout);
    if (out.n == 0)
        puts("nothing to adopt: the database knows every version beside it");
    return 0;
}
