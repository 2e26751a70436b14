/* Recent wrong passwords, and who must wait because of them.  Counted for three subjects:
 *
 *     both:NAME ADDRESS     players.login_failures within players.login_window
 *     account:NAME          ten times as many: one account tried from many addresses
 *     address:ADDRESS       ten times as many: one address trying many accounts
 *
 * NAME is the username in lower case, whether an account has it or not, so that being throttled
 * does not tell whether the account exists.  An IPv6 address counts by its /64, the network of
 * one customer.
 *
 * A window begins with the first failure; at its end all its failures expire together.  The
 * counts are checked inside a slot for hashing that is kept until a failure is committed, so of
 * many clients that guess at once, at most as many as there are slots exceed the limit.
 *
 * The table is bounded: recording a failure removes some rows whose window is over, and at most
 * THROTTLE_ROWS_MAX rows are kept, the newest. */
#pragma once

#include "config/config.h"
#include "store/db.h"

#define THROTTLE_ROWS_MAX 100000

enum throttle_kind { THROTTLE_BOTH, THROTTLE_ACCOUNT, THROTTLE_ADDRESS, THROTTLE_KINDS };

struct throttle_key { /* in the arena of throttle_make_key */
    struct str subjects[THROTTLE_KINDS];
};
/* `name` in any case. */
struct throttle_key throttle_make_key(struct arena *a, struct str name, struct str address);

/* too_many_requests, code login_throttled, with the seconds to the end of the window. */
MUST_CHECK bool throttle_check(struct db *db, const struct config *config,
                               const struct throttle_key *key, int64_t now_ms, struct err *err);

/* Records a failure for each subject.  This and the other functions in _in run inside
 * operations of the writer. */
MUST_CHECK bool throttle_note_in(struct db *db, const struct throttle_key *key, int64_t now_ms,
                                 int64_t window_ms, struct err *err);
/* Removes all rows that contain the name; `name` in any case. */
MUST_CHECK bool throttle_forget_in(struct db *db, struct str name, struct err *err);
/* After the right password: removes the count of the account from this address. */
MUST_CHECK bool throttle_clear_in(struct db *db, struct str subject, struct err *err);
