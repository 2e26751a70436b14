/* The jobs role: takes jobs out of the queue and has them done by children.  One process at a
 * time holds the lock run/jobs.lock, so that whatever is marked as running when it starts has
 * been left behind by a predecessor and goes back to the queue at once. */
#pragma once

#include "role/role.h"

#define ROLE_JOBS_LOCK "run/jobs.lock"
