/* Wrong passwords of late, and who has to wait for them.  Counted for three subjects:
 *
 *     both:NAME ADDRESS     players.login_failures within players.login_window
 *     account:NAME          ten times as many: one account tried from many addresses
 *     address:ADDRESS       ten times as many: one address trying many accounts
 *
 * NAME is the username in lower case, of an account or not, so that being throttled tells
 * nobody whether it exists.  An IPv6 address counts by its /64, which is what one customer has.
 *
 * A window begins with the first failure and ends all at once.  Who compares a password asks in
 * a slot for hashing that is kept until the failure is committed, so of those who guess at once
 * no more get past the limit than there are slots.
 *
 * The table is bounded: each note takes some rows away whose window is over, and of those that
 * count no more than THROTTLE_ROWS_MAX stay, the newest. */
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

/* Inside operations of the writer. */
MUST_CHECK bool throttle_note_in(struct db *db, const struct throttle_key *key, int64_t now_ms,
                                 int64_t window_ms, struct err *err);
/* Everything that names the account; `name` in any case. */
MUST_CHECK bool throttle_forget_in(struct db *db, struct str name, struct err *err);
/* After the right password: what was counted for the account from this address. */
MUST_CHECK bool throttle_clear_in(struct db *db, struct str subject, struct err *err);
