/* Limits how many processes do something at the same time: each slot is a locked byte of a file
 * (open file description locks, fcntl(2)).  The kernel releases the locks of a dead process, so
 * the count cannot become wrong, and two generations of a pool share one limit without knowing
 * of each other.
 *
 * A process holds one slot at a time. */
#pragma once

#include "base/err.h"

struct slots {
    int fd;         /* -1: no limit */
    unsigned count; /* at least 1 */
    unsigned first; /* tried first: the slot last held, which others found taken */
};

/* Creates the file if it does not exist; its bytes are never read or written. */
MUST_CHECK bool slots_open(const char *path, unsigned count, struct slots *out,
                           struct err *err);
void slots_close(struct slots *slots);
/* Locks a free slot and returns its number, or -1 when all are taken.  Never waits. */
MUST_CHECK int slots_take(struct slots *slots);
void slots_give(const struct slots *slots, int slot); /* accepts -1 */
