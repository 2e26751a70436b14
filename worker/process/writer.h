/* Who may write playmeter.db: the writer role of a service, else the process with the lock. */
#pragma once

#include "base/err.h"
#include "role/role.h"
#include "writer/client.h"

/* Takes the lock on run/writer.lock, which every process must hold that opens the database for
 * writing.  Returns the file descriptor, to be closed only after the database; -1: busy with
 * code writer_running when another process holds it.  Creates missing folders. */
MUST_CHECK int writer_lock_try(const char *data_dir, struct err *err);

/* What a subcommand needs to read and change the database, whether a service runs or not.  With
 * a service: a read-only connection, and the service's writer.  Without one: the lock, the
 * missing migrations, and one connection for both, in which each operation is a transaction. */
struct writer_access {
    struct db *db;
    struct writer *writer;
    int lock_fd; /* -1: a service runs */
};
MUST_CHECK bool writer_access_open(const char *data_dir, struct writer_access *out,
                                   struct err *err);
void writer_access_close(struct writer_access *access); /* accepts a zeroed one */
