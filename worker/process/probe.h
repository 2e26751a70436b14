/* A child that asks whether the service is ready the way clients do: through nginx, by the unix
 * socket on which nginx also listens. */
#pragma once

#include "base/base.h"

#define PROBE_SOCKET "run/http.sock"

/* Repeats GET /readyz until the answer is 200, then exits with 0.  Also exits with 0 when the
 * only problem is versions whose rows are lost: only a person can restore those, and everything
 * else is served.  The log then has a warning. */
NORETURN void probe_become(int supervisor_pid);
