/* Between account.c, which asks, and account_operations.c, which runs inside the writer: what
 * their messages hold. */
#pragma once

#include "players/account.h"
#include "writer/wire.h"

#define ACCOUNT_MESSAGE_BYTES_MAX (4 * KIB)

/* The session that a register or log-in begins; refresh_hash is binary. */
struct account_session {
    struct str id, refresh_hash;
    int64_t lifetime_ms;
};
void account_session_add(struct buf *out, const struct account_session *session);
struct account_session account_session_read(struct wire *w);

void account_add(struct buf *out, const struct account *account);
/* The username is in the arena. */
struct account account_read(struct arena *a, struct wire *w);

/* Steps to the player that the statement is about.  not_found without a row. */
MUST_CHECK bool account_step(struct stmt *s, struct err *err);

/* conflict, code ACCOUNT_TAKEN. */
bool account_refuse_taken(struct str username, struct err *err);
#define ACCOUNT_TAKEN "username_taken"
