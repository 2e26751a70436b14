/* The nginx process.  It gets its listening sockets through the variable NGINX, as in an
 * upgrade of its own binary, so it never opens one itself. */
#pragma once

#include "config/config.h"

#define NGINX_CONF_DIR "nginx/conf"
#define NGINX_CHECK_DIR "nginx/check"

/* The program's path: as written when it holds a slash, else searched in PATH, /usr/sbin and
 * /usr/local/sbin. */
MUST_CHECK bool nginx_child_find(struct arena *a, struct str program, const char **out,
                                 struct err *err);
/* Runs `nginx -t` on the configuration in `folder`; err has nginx's own message. */
MUST_CHECK bool nginx_child_check(const char *program, const char *data_dir, const char *folder,
                                  const int *listen_fds, size_t fd_count, struct err *err);
/* Kills every nginx whose working directory is the current one, and logs each.  When a
 * supervisor and nginx's master were killed together, the master's workers live on, keep the
 * port, and accept the API keys of that time.  Only for a caller that holds the data
 * directory's lock and has not started nginx yet. */
void nginx_child_end_orphans(void);
/* In a forked child: becomes nginx, with `log_fd` as its stderr.  nginx is ended when the
 * supervisor dies. */
NORETURN void nginx_child_become(const char *program, const char *data_dir,
                                 const int *listen_fds, size_t fd_count, int log_fd,
                                 int supervisor_pid);
