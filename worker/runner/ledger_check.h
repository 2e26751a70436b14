/* A look at a sample of the ledgers, when the service starts. */
#pragma once

#include "store/db.h"

/* Says in the log what it finds, and what to do.  While the last look found something there is
 * the file `mark_path`, which /readyz tells of: the service goes on, since who stops the games
 * for it is not ours to say. */
void ledger_check(struct db *db, const char *mark_path);
