/* Passwords: Argon2id (RFC 9106) by libsodium, 19 MiB and 2 passes (recommended by OWASP),
 * stored as the string that libsodium makes.  The number of passwords hashed at once on the
 * machine is limited (store/slots.h, run/hash.slots), which bounds the memory and the latency
 * of other requests; one more is answered 503 at once, so that a storm of logins cannot fill
 * the play pool. */
#pragma once

#include "base/err.h"
#include "config/config.h"
#include "store/slots.h"

#define PASSWORD_CHARACTERS_MIN 8
#define PASSWORD_CHARACTERS_MAX 128
#define PASSWORD_HASH_BYTES_MAX 128 /* NUL included */
/* The hash of a random password that was not kept, with the parameters that password_hash uses
 * (a test compares them). */
#define PASSWORD_OF_NOBODY                                                                     \
    "$argon2id$v=19$m=19456,t=2,p=1$kzdiLwKdjEX3553ahPadvg"                                    \
    "$v21v6GjV+QcVGhG4HHiIRHDBWz4PyvoFy7+4l4eKN+8"

struct password_hasher { /* one per process */
    struct slots slots;
    int slot; /* valid while is_held */
    bool is_held;
    uint64_t hash_count; /* hashes computed by this process, for right and wrong passwords */
};
/* The limit is players.hashes_per_core for each core, and at most half of the play workers. */
MUST_CHECK bool password_open(const struct config *config, struct password_hasher *out,
                              struct err *err);
void password_close(struct password_hasher *hasher);

/* Checks the length in characters, valid UTF-8, and that there is no NUL.  invalid (422), code
 * bad_password, naming `member` but not showing the value. */
MUST_CHECK bool password_check_form(struct str member, struct str password, struct err *err);
/* Takes a slot for password_verify.  The caller keeps it until the result is stored, so that
 * the next holder of the slot sees the result.  busy, code hashing_busy, when all are taken. */
MUST_CHECK bool password_hold(struct password_hasher *hasher, struct err *err);
void password_release(struct password_hasher *hasher);
/* Takes a slot for itself: fails as password_hold does; also busy when memory is short. */
MUST_CHECK bool password_hash(struct password_hasher *hasher, struct str password,
                              char out[PASSWORD_HASH_BYTES_MAX], struct err *err);
/* In a slot that is held.  An empty `hash` means that the account does not exist: the same
 * work is done, and the password is never right.  busy when memory is short. */
MUST_CHECK bool password_verify(struct password_hasher *hasher, struct str hash,
                                struct str password, bool *is_right, struct err *err);
