/* Refuses passwords that are guessed first: common words and passwords, sequences of
 * neighbouring characters, and the username with little added.  Judged by cracklib with a
 * dictionary (players.password_dictionary); not at all if players.password_check is false.
 *
 * Checked only when a password is set, which takes a millisecond, and before it is hashed: a
 * player with a weak password can still log in. */
#pragma once

#include "base/err.h"
#include "config/config.h"

/* Can the dictionary be read, and is it whole?  Before any worker starts.
 * invalid, naming the setting and the file. */
MUST_CHECK bool strength_check_dictionary(const struct config *config, struct err *err);

/* Whether it can, for whoever asks often: found out again when a file of it was changed, and
 * once a minute.  Zeroed at first. */
struct strength_watch {
    uint64_t looked_us, files;
    bool is_good;
};
bool strength_is_dictionary_good(const struct config *config, struct strength_watch *watch);

/* `password` has passed password_check_form, `username` its own check.  invalid (422), code
 * weak_password, naming `member` and the reason but not the value; busy with code
 * password_check_unavailable (detail for the log only) while the dictionary cannot be read. */
MUST_CHECK bool strength_check(const struct config *config, struct str member,
                               struct str username, struct str password, struct err *err);
