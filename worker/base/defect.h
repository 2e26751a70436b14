/* Defects planted on purpose, to prove that the crash tests would find them: built in by
 * MODE=defects alone, chosen by the environment PLAYMETER_DEFECT.  In every other build the
 * question is the constant false, and the compiler drops what depends on it.
 *
 *   reply_before_commit  the writer answers, and commits a moment later
 *   idempotency_apart    an effect is committed a moment before its Idempotency-Key
 *   balance_from_c       a balance is reckoned in C from the last commit and written back: of
 *                        two changes in one transaction the first is forgotten */
#pragma once

#include "base/base.h"

#ifdef PLAYMETER_DEFECTS
#include <stdlib.h>
#include <string.h>

static inline bool
defect_is(const char *name)
{
    const char *planted = getenv("PLAYMETER_DEFECT");
    return planted && strcmp(planted, name) == 0;
}
#else
static inline bool
defect_is(const char *name UNUSED)
{
    return false;
}
#endif

/* How long the moment is: kills hit it by chance. */
#define DEFECT_MOMENT_MS 5
