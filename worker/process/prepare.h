/* What `serve` needs before it starts anything: the right user, a usable data directory, the
 * lock that makes it the only service there, and the first admin key. */
#pragma once

#include "config/config.h"

/* As root: creates the data directory if it does not exist, gives it to `user` (if it was
 * created now, or is empty and root's), and becomes that user for good.  As any other user:
 * creates the directory.  A directory that everybody can write to is refused.  Sets the umask
 * so that only the owner can read new files, and takes the permission to read an existing
 * database from others.  Error messages say which command to type. */
MUST_CHECK bool prepare_user(struct str user, const char *data_dir, struct err *err);
/* For a command at a data directory that is there: reads the settings and becomes their user.
 * A folder that is not there is misspelt, and what root made in it the service could not
 * open. */
MUST_CHECK bool prepare_command(struct arena *a, const char *config_path, const char *data_dir,
                                struct config *out, struct err *err);
/* Changes the working directory to the data directory and creates its folders. */
MUST_CHECK bool prepare_data_dir(const char *data_dir, struct err *err);
/* Locks run/supervisor.lock and returns the file; -1 with conflict when another service has
 * it.  It stays open in the children too, so that the lock is held until a killed
 * predecessor's children have ended. */
MUST_CHECK int prepare_lock(const char *data_dir, struct err *err);
/* Creates admin.key (mode 0600) if there is none. */
MUST_CHECK bool prepare_admin_key(struct err *err);
