/* The database's migrations, run before any role is forked.  In a child of their own, since the
 * supervisor opens no database: a handle that lives across a fork corrupts it. */
#pragma once

#include "config/config.h"

/* False when they failed; the child has said why on stderr. */
MUST_CHECK bool migrate_in_child(const struct config *config, struct err *err);
