/* The FastCGI loop of one worker: accept, read, handle, answer, log; one request at a time.
 * The only user of libfcgi. */
#pragma once

#include "http/request.h"
#include "http/response.h"

/* The largest body that comes over the socket, above all batches of events.  Larger ones come
 * as files, whose size nginx limits. */
#define SERVE_BODY_BYTES_MAX (9 * MIB)
/* A client that accepts no byte for this long is disconnected. */
#define SERVE_WRITE_STALL_MS 10000

/* Answers the request.  When the request could not be read, `err` is already set, and only the
 * request's id, method and path are reliable.  On return `err` holds what the log shall say,
 * ERR_NONE when nothing went wrong. */
typedef void serve_handle_fn(void *context, struct request *request, struct response *response,
                             struct err *err);

/* Once per process, before the process installs its own handlers: libfcgi installs some for
 * SIGTERM, SIGUSR1 and SIGPIPE. */
MUST_CHECK bool serve_init(struct err *err);
/* Serves the listening socket until is_stopping returns true.  SIGTERM is blocked while a
 * request runs and is delivered while the worker waits for the next one. */
MUST_CHECK bool serve_run(int listen_fd, serve_handle_fn *handle, void *context,
                          bool (*is_stopping)(void), struct err *err);
