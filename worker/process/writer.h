/* Who writes playmeter.db: the writer role beside a service, else whoever holds the lock. */
#pragma once

#include "base/err.h"
#include "role/role.h"
#include "writer/client.h"

/* The lock on run/writer.lock, without which nobody opens the database to write; the file
 * descriptor, to be closed only after the database.  -1: busy with code writer_running when
 * another process holds it.  Makes the folders that are missing. */
MUST_CHECK int writer_lock_try(const char *data_dir, struct err *err);

/* What a subcommand needs to read and change the database, whether a service runs or not.
 * Beside a service: a reader, and the service's writer.  Alone: the lock, the migrations that
 * are missing, and one connection for both, whose operations are transactions of their own. */
struct writer_access {
    struct db *db;
    struct writer *writer;
    int lock_fd; /* -1: a service runs */
};
MUST_CHECK bool writer_access_open(const char *data_dir, struct writer_access *out,
                                   struct err *err);
void writer_access_close(struct writer_access *access); /* accepts a zeroed one */
