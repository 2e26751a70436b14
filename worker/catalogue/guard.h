/* Whether playmeter.db is the database of its data directory.  One that is missing, empty, an
 * older copy, or another directory's knows nothing of the versions beside it, so nobody may
 * work by it.  An id and a count of the catalogue's changes stand in three places, and all of
 * them are read, compared and made to agree here, once, before the database is used:
 *
 *     in the database         db_read_identity (store/db.h): counted with each change
 *     DATA/state              data_state.h: written after the commit, never ahead of it
 *     version.json of each    version_file.h: written before the commit that it is of
 *
 * What is compared, in this order:
 *
 *     the file is there, or nothing is that would need it
 *     (opened)
 *     its log is its own; its id and its count are those of DATA/state, or later
 *     (migrated)
 *     no version.json is ahead of it; then what is missing is made: DATA/state, and
 *     version.json where there is none or it lacks the checksum
 *     (its log is taken)
 *
 * What does not fit is refused as a conflict with code wrong_database, which says what was
 * found and what to do, and nothing is changed then: neither file, nor the log.  Then adopt.h
 * can make a database fit the folders. */
#pragma once

#include "store/db.h"

/* For whoever holds the writer's lock: goes all the way, and gives a DB_WRITER.  Where
 * `applied_count` is NULL nothing is migrated, and an older schema fails as in db_open. */
MUST_CHECK struct db *guard_open(const char *data_dir, const char *db_path, int *applied_count,
                                 struct err *err);
/* The last look alone; `db` may be a reader. */
MUST_CHECK bool guard_take(struct db *db, const char *data_dir, struct err *err);
