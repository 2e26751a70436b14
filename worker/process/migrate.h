/* Takes over playmeter.db: checks that it belongs to the data directory, and runs the
 * migrations that it lacks. */
#pragma once

#include "config/config.h"

/* Under the writer's lock; busy with code writer_running when another process holds it.
 * Refuses a database for the reasons in guard.h. */
MUST_CHECK bool migrate_database(const char *data_dir, int *applied_count, struct err *err);
/* The same before any role is forked, in a child process, because a SQLite handle that lives
 * across a fork corrupts the database, so the supervisor opens none.  When another process
 * holds the writer's lock, a database that needs no migration is a success.  False when it
 * failed; the child has written the reason to stderr. */
MUST_CHECK bool migrate_in_child(const struct config *config, struct err *err);
