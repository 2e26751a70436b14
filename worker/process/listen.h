/* The listening sockets.  They are made once, by the supervisor, and live as long as it does:
 * a child that dies or is replaced leaves the queue of waiting connections untouched. */
#pragma once

#include "config/config.h"

#define LISTEN_BACKLOG 4096

/* A TCP socket for nginx, not blocking (nginx inherits it as it is).  An address that is taken
 * is tried again for a second, in which the nginx of a killed predecessor ends. */
MUST_CHECK int listen_open_tcp(struct str address, uint64_t port, struct err *err);
/* A unix socket of mode 0660 that replaces what stands at `path`, which is relative to the
 * working directory. */
MUST_CHECK int listen_open_unix(const char *path, bool is_blocking, struct err *err);
