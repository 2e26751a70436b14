/* Making a database and the dataset folders beside it fit each other again, when the one that
 * knew them is lost: what guard.h refuses. */
#pragma once

#include "base/buf.h"
#include "catalogue/files.h"

/* Takes every folder with a whole version.json and rows that open into the catalogue,
 * with its job, its number and the id of its dataset where those are free.  Versions whose
 * rows are gone count as dropped; where something changed the newest that is kept becomes
 * current.  Jobs in the queue of a database that is older than the folders are cancelled: they
 * may have been run since. Then the count is above everything found, and DATA/state and each
 * version.json are the database's. No file is removed; a folder may move to another dataset's
 * number.
 *
 * `out` gets lines for a person: one per dataset that changed, and one per folder that is left
 * alone, with the reason: no folder fails the adoption of the others.  Of a folder that is
 * there twice, under the numbers of two datasets, the one in its dataset's place is taken. Done
 * twice it finds nothing to do; killed in the middle it can be done again.  The caller holds
 * the writer's lock. */
MUST_CHECK bool adopt_run(struct db *db, const struct version_files *files,
                          const char *data_dir, struct buf *out, struct err *err);
