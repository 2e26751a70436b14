/* The listening sockets.  The supervisor makes them once and keeps them open: a child that dies
 * or is replaced does not affect the connections that wait in their queues. */
#pragma once

#include "config/config.h"

#define LISTEN_BACKLOG 4096

/* A TCP socket for nginx, non-blocking because nginx takes it over as it is.  While the address
 * is in use it is tried again for a second, in which the nginx of a killed predecessor ends. */
MUST_CHECK int listen_open_tcp(struct str address, uint64_t port, struct err *err);
/* A unix socket of mode 0660; replaces a file at `path`, which is relative to the working
 * directory. */
MUST_CHECK int listen_open_unix(const char *path, bool is_blocking, struct err *err);
