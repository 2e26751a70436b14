#include "process/migrate.h"

#include "base/fs.h"
#include "base/log.h"
#include "catalogue/guard.h"
#include "process/writer.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

bool
migrate_database(const char *data_dir, int *applied_count, struct err *err)
{
    scoped_arena a = {0};
    scoped_fd lock = writer_lock_try(data_dir, err);
    if (lock < 0)
        return false;
    /* Declared after the lock, so closed before it is released. */
    scoped_db db =
        guard_open(data_dir, arena_printf(&a, "%s/" ROLE_DB, data_dir).p, applied_count, err);
    return db;
}

/* DB_READ_ONLY refuses a database that is not migrated. */
static bool
is_migrated(const struct config *config)
{
    scoped_arena a = {0};
    struct err ignored;
    scoped_db db = db_open(role_path(&a, config, ROLE_DB), DB_READ_ONLY, &ignored);
    return db;
}

static int
migrate(const struct config *config)
{
    scoped_arena a = {0};
    struct err err = {0};
    int applied = 0;
    bool ok = migrate_database(arena_cstr(&a, config->data_dir), &applied, &err) ||
              /* The command line is importing: our writer waits for it to end. */
              (err.kind == ERR_BUSY && is_migrated(config));
    if (!ok)
        log_message(LOG_ERROR, err.kind == ERR_CONFLICT ? err_code(&err) : "migration_failed",
                    "%s", err.detail);
    else if (applied)
        log_message(LOG_INFO, "migrated", "%d migrations were applied", applied);
    return ok ? 0 : 1;
}

bool
migrate_in_child(const struct config *config, struct err *err)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        exit(migrate(config));
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return err_set_errno(err, "running the migrations");
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
           err_set(err, ERR_INTERNAL, "the database could not be taken (see above)");
}
