/* The writer's event loop: reads operations from the socket, runs them in batches, answers. */
#pragma once

#include "writer/client.h"

struct writer_loop_options {
    struct db *db;                        /* DB_WRITER, under the writer's lock */
    int listen_fd;                        /* becomes non-blocking */
    int stop_fd;                          /* becomes readable when the loop shall end */
    const struct operation *const *table; /* see writer_operation_find */
    size_t table_count;
};
/* Serves until stop_fd is readable, then hands over to the next writer: operations that ran are
 * answered, all other requests get `moved`.  False when it could not start or wait. */
MUST_CHECK bool writer_loop_run(const struct writer_loop_options *options, struct err *err);
