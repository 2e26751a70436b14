/* Passwords: Argon2id (RFC 9106) by libsodium, 19 MiB and 2 passes (OWASP's choice), stored as
 * the string libsodium makes.  At most so many are hashed at once on the machine
 * (store/slots.h, run/hash.slots): memory and the other requests' latency are bounded, and one
 * more is answered 503 at once, so that a storm of logins cannot fill the play pool. */
#pragma once

#include "base/err.h"
#include "config/config.h"
#include "store/slots.h"

#define PASSWORD_CHARACTERS_MIN 8
#define PASSWORD_CHARACTERS_MAX 128
#define PASSWORD_HASH_BYTES_MAX 128 /* with its NUL */
/* Of a random password that nobody knows, with the parameters that password_hash uses: a test
 * compares them. */
#define PASSWORD_OF_NOBODY                                                                     \
    "$argon2id$v=19$m=19456,t=2,p=1$kzdiLwKdjEX3553ahPadvg"                                    \
    "$v21v6GjV+QcVGhG4HHiIRHDBWz4PyvoFy7+4l4eKN+8"

struct password_hasher { /* one per process */
    struct slots slots;
    int slot; /* with is_held */
    bool is_held;
    uint64_t hash_count; /* hashes this process has worked out, right or wrong */
};
/* The bound is players.hashes_per_core for each core, and at most half of the play workers. */
MUST_CHECK bool password_open(const struct config *config, struct password_hasher *out,
                              struct err *err);
void password_close(struct password_hasher *hasher);

/* Length in characters, valid UTF-8, no NUL.  invalid (422), code bad_password, naming
 * `member`, which held it; never telling the value. */
MUST_CHECK bool password_check_form(struct str member, struct str password, struct err *err);
/* A slot for password_verify, kept until what came of it is stored: who has the next one sees
 * it.  busy, code hashing_busy, when all are taken. */
MUST_CHECK bool password_hold(struct password_hasher *hasher, struct err *err);
void password_release(struct password_hasher *hasher);
/* In a slot of its own: fails as password_hold does; busy too without the memory. */
MUST_CHECK bool password_hash(struct password_hasher *hasher, struct str password,
                              char out[PASSWORD_HASH_BYTES_MAX], struct err *err);
/* In a slot that is held.  `hash` "" stands for an account that does not exist: the same work
 * is done, and it is never right.  busy without the memory. */
MUST_CHECK bool password_verify(struct password_hasher *hasher, struct str hash,
                                struct str password, bool *is_right, struct err *err);
