/* The nginx process.  It inherits its listening sockets by the variable NGINX, as it does in an
 * upgrade of its own binary, so it never opens one. */
#pragma once

#include "config/config.h"

#define NGINX_CONF_DIR "nginx/conf"
#define NGINX_CHECK_DIR "nginx/check"

/* The program's path: as written when it holds a slash, else searched in PATH, /usr/sbin and
 * /usr/local/sbin. */
MUST_CHECK bool nginx_child_find(struct arena *a, struct str program, const char **out,
                                 struct err *err);
/* `nginx -t` on the configuration in `folder`; err has nginx's own words. */
MUST_CHECK bool nginx_child_check(const char *program, const char *data_dir, const char *folder,
                                  const int *listen_fds, size_t fd_count, struct err *err);
/* Kills every nginx whose working directory is the current one, and logs each.  Only for who
 * holds the data directory's lock, before there is an nginx of its own: where a supervisor and
 * nginx's master were killed at the same moment, nobody was left to end the workers, and they
 * keep the port and the keys of then. */
void nginx_child_end_orphans(void);
/* In a forked child: becomes nginx, with `log_fd` as its stderr.  Ends at once when the
 * supervisor dies. */
NORETURN void nginx_child_become(const char *program, const char *data_dir,
                                 const int *listen_fds, size_t fd_count, int log_fd,
                                 int supervisor_pid);
