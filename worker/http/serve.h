/* The FastCGI loop of one worker: accept, read, hand over, answer, log; one request at a time.
 * The only user of libfcgi. */
#pragma once

#include "http/request.h"
#include "http/response.h"

/* Bodies that come over the socket, batches of events above all; larger ones come as files,
 * which nginx bounds. */
#define SERVE_BODY_BYTES_MAX (9 * MIB)
/* A client that takes no byte for so long is given up. */
#define SERVE_WRITE_STALL_MS 10000

/* Answers the request.  `err` has a kind already when the request could not even be read; then
 * only id, method and path of it are to be relied on.  Afterwards `err` holds what the log
 * shall say, ERR_NONE when all went well. */
typedef void serve_handle_fn(void *context, struct request *request, struct response *response,
                             struct err *err);

/* Once per process.  Takes over SIGTERM, SIGUSR1 and SIGPIPE: handlers of our own are installed
 * after it. */
MUST_CHECK bool serve_init(struct err *err);
/* Serves the listening socket until is_stopping.  SIGTERM is held back while a request runs and
 * arrives while the worker waits for the next one. */
MUST_CHECK bool serve_run(int listen_fd, serve_handle_fn *handle, void *context,
                          bool (*is_stopping)(void), struct err *err);
