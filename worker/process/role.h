/* What the supervisor hands to a role's process after the fork.  Every handle (SQLite, curl,
 * maps) is opened by the role itself.
 *
 * Signals in every role: SIGTERM (repeated until the child is gone) asks to finish what runs
 * and leave with exit code 0; `role_is_stopping` turns true and blocking system calls return
 * EINTR. */
#pragma once

#include "config/config.h"

enum role { ROLE_QUERY, ROLE_PLAY, ROLE_WRITER, ROLE_JOBS };

struct role_env {
    const struct config *config;
    enum role role;
    int listen_fd;  /* the role's listening socket, made by the supervisor; -1 for jobs */
    unsigned index; /* of the worker in its pool */
};

/* Installs the SIGTERM handler (no SA_RESTART) and ignores SIGPIPE and SIGHUP; called by each
 * role after its libraries have had their way with the signals. */
void role_handle_signals(void);
bool role_is_stopping(void);

/* Paths under the data directory, in the arena. */
const char *role_path(struct arena *a, const struct config *config, const char *name);
#define ROLE_DB "playmeter.db"
#define ROLE_WRITER_SOCKET "run/writer.sock"
#define ROLE_QUERY_SOCKET "run/query.sock"
#define ROLE_PLAY_SOCKET "run/play.sock"
#define ROLE_WRITER_LOCK "run/writer.lock"
#define ROLE_JOBS_HEARTBEAT "run/jobs.heartbeat"

/* The roles; each returns the process's exit code. */
int role_run_api(const struct role_env *env); /* query and play */
int role_run_writer(const struct role_env *env);
int role_run_jobs(const struct role_env *env);
