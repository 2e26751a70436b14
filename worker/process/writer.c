/* The writer role, and its replacement for the command line.
 *
 * During a handover both generations exist for a short time.  The lock decides: the old writer
 * closes its database before it releases the lock, the new one opens the database only with the
 * lock, and clients wait in the backlog of the socket that both inherited. */
#include "process/writer.h"

#include "base/fs.h"
#include "base/log.h"
#include "catalogue/guard.h"
#include "embedded/files.h"
#include "process/operations.h"
#include "writer/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>

/* Between two attempts to take the lock: a handover takes about that long. */
#define LOCK_RETRY_MS 5

static const char *
path_of(struct arena *a, const char *data_dir, const char *name)
{
    return arena_printf(a, "%s/%s", data_dir, name).p;
}

int
writer_lock_try(const char *data_dir, struct err *err)
{
    scoped_arena a = {0};
    if (!fs_make_dirs(path_of(&a, data_dir, "run"), err))
        return -1;
    const char *path = path_of(&a, data_dir, ROLE_WRITER_LOCK);
    int fd = fs_open_at(AT_FDCWD, path, O_RDWR | O_CREAT, err);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    if (errno == EWOULDBLOCK)
        err_set_code(err, ERR_BUSY, "writer_running",
                     "another process writes the database under %s", data_dir);
    else
        err_set_errno(err, "%s", path);
    fs_close(&fd);
    return -1;
}

/* -1 with ERR_NONE when it was asked to stop while waiting. */
static int
wait_for_lock(const char *data_dir, int stop_fd, struct err *err)
{
    for (;;) {
        int fd = writer_lock_try(data_dir, err);
        if (fd >= 0 || err->kind != ERR_BUSY)
            return fd;
        struct pollfd p = {.fd = stop_fd, .events = POLLIN};
        if (poll(&p, 1, LOCK_RETRY_MS) > 0) {
            *err = (struct err){0};
            return -1;
        }
    }
}

/* SIGTERM as a readable descriptor, so that none is missed between checking a flag and
 * waiting. */
static int
open_stop_fd(struct err *err)
{
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    int fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        err_set_errno(err, "signalfd");
    return fd;
}

static bool
serve(const char *data_dir, int listen_fd, int stop_fd, struct err *err)
{
    scoped_arena a = {0};
    scoped_fd lock = wait_for_lock(data_dir, stop_fd, err);
    if (lock < 0)
        return err->kind == ERR_NONE;
    /* Declared after the lock, so closed before it is released.  Guarded here again, since the
     * file may have been replaced while the service ran; it was migrated before any role was
     * started. */
    scoped_db db = guard_open(data_dir, path_of(&a, data_dir, ROLE_DB), NULL, err);
    if (!db)
        return false;
    db_set_context(db, &EMBEDDED_FILES);
    log_message(LOG_INFO, "writer_ready", "writing %s", db_path(db));
    struct writer_loop_options options = {.db = db,
                                          .listen_fd = listen_fd,
                                          .stop_fd = stop_fd,
                                          .table = OPERATIONS,
                                          .table_count = OPERATIONS_COUNT};
    return writer_loop_run(&options, err);
}

int
role_run_writer(const struct role_env *env)
{
    scoped_arena a = {0};
    struct err err = {0};
    scoped_fd stop_fd = open_stop_fd(&err);
    const char *data_dir = arena_cstr(&a, env->config->data_dir);
    if (stop_fd >= 0 && serve(data_dir, env->listen_fd, stop_fd, &err))
        return 0;
    log_message(LOG_ERROR, "writer_failed", "%s", err.detail);
    return 1;
}

bool
writer_access_open(const char *data_dir, struct writer_access *out, struct err *err)
{
    scoped_arena a = {0};
    struct writer_access access = {.lock_fd = writer_lock_try(data_dir, err)};
    if (access.lock_fd < 0 && err->kind != ERR_BUSY)
        return false;
    const char *db_path = path_of(&a, data_dir, ROLE_DB);
    int applied_count;
    access.db = access.lock_fd >= 0 ? guard_open(data_dir, db_path, &applied_count, err)
                                    : db_open(db_path, DB_READ_ONLY, err);
    if (!access.db) {
        fs_close(&access.lock_fd);
        return false;
    }
    db_set_context(access.db, &EMBEDDED_FILES);
    access.writer = access.lock_fd >= 0
                        ? writer_open_local(access.db, OPERATIONS, OPERATIONS_COUNT)
                        : writer_open(path_of(&a, data_dir, ROLE_WRITER_SOCKET));
    *out = access;
    return true;
}

void
writer_access_close(struct writer_access *access)
{
    if (!access->db)
        return;
    writer_close(&access->writer);
    db_close(&access->db);
    /* Last: the next writer opens the database as soon as it has the lock. */
    fs_close(&access->lock_fd);
}
