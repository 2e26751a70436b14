/* Whether playmeter.db is the database of its data directory.  One that is missing, empty, an
 * older copy, or another directory's knows nothing of the versions beside it, so nobody may
 * work by it.
 *
 *     guard_before_open      the file is there, or nothing is that would need it
 *     (opened)
 *     guard_before_migrate   its id and its count are those of DATA/state, or later
 *     (migrated)
 *     guard_take             no version.json is ahead of it; then what is missing is made:
 *                            version.json of versions of before there were any, DATA/state
 *
 * Whoever holds the writer's lock goes through all three.  They refuse as a conflict with code
 * wrong_database, say what was found and what to do, and change nothing then. */
#pragma once

#include "store/db.h"

MUST_CHECK bool guard_before_open(const char *data_dir, const char *db_path, struct err *err);
MUST_CHECK bool guard_before_migrate(struct db *db, const char *data_dir, struct err *err);
/* `db` may be a reader. */
MUST_CHECK bool guard_take(struct db *db, const char *data_dir, struct err *err);
