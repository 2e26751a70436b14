/* A child that asks the service whether it is ready, the way its users would: through nginx, by
 * the unix socket that nginx also listens on. */
#pragma once

#include "base/base.h"

#define PROBE_SOCKET "run/http.sock"

/* Asks GET /readyz until the answer is 200, then ends with 0; also where only lost rows are in
 * the way, which a person has to bring back: all else is served, and the log has a warning. */
NORETURN void probe_become(int supervisor_pid);
