/* Taking playmeter.db: is it the data directory's, and is its schema the one this program
 * knows?  It is brought there where it is not. */
#pragma once

#include "config/config.h"

/* Under the writer's lock; busy with code writer_running when another process holds it.
 * Refuses as guard.h says. */
MUST_CHECK bool migrate_database(const char *data_dir, int *applied_count, struct err *err);
/* The same before any role is forked, in a child of its own, since the supervisor opens no
 * database: a handle that lives across a fork corrupts it.  Beside another writer it is enough
 * that nothing is to be done.  False when it failed; the child has said why on stderr. */
MUST_CHECK bool migrate_in_child(const struct config *config, struct err *err);
