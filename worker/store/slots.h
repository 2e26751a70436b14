/* How many processes at once may do a thing: slots that are locked bytes of a file (open file
 * description locks, fcntl(2)).  The kernel gives back what a dead process held, so nothing is
 * ever counted wrong, and two generations of a pool share one bound without knowing each other.
 *
 * A process holds one slot at a time. */
#pragma once

#include "base/err.h"

struct slots {
    int fd;         /* -1: no bound */
    unsigned count; /* at least 1 */
    unsigned first; /* tried first: what was ours last, which the others have learned to pass */
};

/* Makes the file where it is not there; its bytes are never read or written. */
MUST_CHECK bool slots_open(const char *path, unsigned count, struct slots *out,
                           struct err *err);
void slots_close(struct slots *slots);
/* The number of the slot that is now ours, or -1 when all are taken.  Never waits. */
MUST_CHECK int slots_take(struct slots *slots);
void slots_give(const struct slots *slots, int slot); /* accepts -1 */
