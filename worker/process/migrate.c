/* See migrate.h. */
#include "process/migrate.h"

#include "base/log.h"
#include "process/role.h"
#include "store/db.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int
migrate(const struct config *config)
{
    scoped_arena a = {0};
    struct err err = {0};
    int applied = 0;
    struct db *db = db_open(role_path(&a, config, ROLE_DB), DB_MIGRATE, &err);
    bool ok = db && db_migrate(db, &applied, &err);
    db_close(&db);
    if (!ok)
        log_message(LOG_ERROR, "migration_failed", "%s", err.detail);
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
           err_set(err, ERR_INTERNAL, "the database could not be migrated (see above)");
}
