/* What `serve` needs before anything runs: the right user, a data directory it can use, the
 * lock that makes it the only one there, and the first admin key. */
#pragma once

#include "config/config.h"

/* As root: makes the data directory when it is absent, gives it to `user` (when it was made now
 * or is empty and root's), and becomes that user for good.  As anybody else: makes the
 * directory.  One that everybody can write to is refused.  What is made from then on only the
 * owner can read, and a database that others can is closed to them.  The errors say what to
 * type. */
MUST_CHECK bool prepare_user(struct str user, const char *data_dir, struct err *err);
/* For a command at a data directory that is there: reads the settings and becomes their user.  A
 * folder that is not there is misspelt, and what root made in it the service could not open. */
MUST_CHECK bool prepare_command(struct arena *a, const char *config_path, const char *data_dir,
                                struct config *out, struct err *err);
/* Working directory becomes the data directory, with its folders made. */
MUST_CHECK bool prepare_data_dir(const char *data_dir, struct err *err);
/* Kept open, and by the children too: a predecessor's children count as the predecessor. */
MUST_CHECK int prepare_lock(const char *data_dir, struct err *err);
/* Makes admin.key (0600) when there is none. */
MUST_CHECK bool prepare_admin_key(struct err *err);
