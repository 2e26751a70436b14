/* DATA/state: which database belongs to a data directory, as a file beside it.  The format and
 * how it is written; guard.h says what follows from it.
 *
 *     {"id":"<32 hex digits>","catalogue_seq":12,"schema":7}
 *
 * says that playmeter.db once had this id and had come so far; so one that is behind it is an
 * older copy, and one with another id belongs elsewhere.  Written after the commit of a change
 * and before anybody hears of it: it is never ahead of the right database, whatever is killed
 * when. */
#pragma once

#include "store/db.h"

#define DATA_STATE_NAME "state"
/* No count gets there: a larger one in a file is damage, and adopting would count on from it.
 */
#define DATA_STATE_COUNT_MAX (INT64_C(1) << 53)

/* 1 read, 0 there is none, -1 it cannot be read. */
MUST_CHECK int data_state_read(const char *data_dir, struct db_identity *out, struct err *err);
/* Durable when it returns. */
MUST_CHECK bool data_state_write(const char *data_dir, const struct db_identity *identity,
                                 struct err *err);
/* Writes what the database says now, into its own folder. */
MUST_CHECK bool data_state_follow(struct db *db, struct err *err);
/* The folder of the database, in the arena. */
const char *data_state_dir(struct arena *a, struct db *db);
