/* What the supervisor passes to a role's process after the fork.  Every handle (SQLite, curl,
 * maps) is opened by the role itself.
 *
 * Signals in every role: SIGTERM (repeated until the process has ended) asks it to finish what
 * it is doing and exit with code 0: `role_is_stopping` becomes true, and blocking system calls
 * return EINTR.  A role whose supervisor dies is killed. */
#pragma once

#include "config/config.h"

/*   role        word in logs  name in ps (at most 15 bytes) */
#define ROLES(X)                                                                               \
    X(ROLE_QUERY, "query", "pm-query")                                                         \
    X(ROLE_PLAY, "play", "pm-play")                                                            \
    X(ROLE_WRITER, "writer", "pm-writer")                                                      \
    X(ROLE_JOBS, "jobs", "pm-jobs")

enum role {
#define X(role, word, comm) role,
    ROLES(X)
#undef X
};
const char *role_name(enum role role);

struct role_env {
    const struct config *config;
    enum role role;
    int listen_fd;  /* the role's listening socket, made by the supervisor; -1 for jobs */
    unsigned index; /* of this worker in its pool, from 0 */
};

/* Installs the SIGTERM handler (without SA_RESTART) and ignores SIGPIPE and SIGHUP.  Each role
 * calls it after initialising its libraries, which may install handlers of their own. */
void role_handle_signals(void);
bool role_is_stopping(void); /* has SIGTERM arrived? */

/* Paths under the data directory, in the arena. */
const char *role_path(struct arena *a, const struct config *config, const char *name);
#define ROLE_DB "playmeter.db"
#define ROLE_WRITER_SOCKET "run/writer.sock"
#define ROLE_QUERY_SOCKET "run/query.sock"
#define ROLE_PLAY_SOCKET "run/play.sock"
#define ROLE_QUERY_SLOTS "run/query.slots"
#define ROLE_PLAY_SLOTS "run/play.slots"
#define ROLE_WRITER_LOCK "run/writer.lock"
#define ROLE_JOBS_HEARTBEAT "run/jobs.heartbeat"
#define ROLE_LEDGER_MARK "run/ledger.broken" /* see ledger_check.h */
#define ROLE_KEPT_MARK "run/folders.kept"    /* see kept.h */

/* The roles; each returns the process's exit code. */
int role_run_api(const struct role_env *env); /* query and play */
int role_run_writer(const struct role_env *env);
int role_run_jobs(const struct role_env *env);

/* First call in the new process: resets the signals, sets the role's name in logs and in ps,
 * and has the kernel kill the process when `supervisor_pid` dies. */
void role_begin(const struct role_env *env, int supervisor_pid);
