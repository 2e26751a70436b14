/* Telling of folders that nothing may remove, since the database does not answer for them. */
#pragma once

#include "base/buf.h"

#define KEPT_BYTES_MAX (32 * KIB)

/* `kept` are the lines of a sweep.  Logs those that `told` (zeroed at first) has not, once
 * each, and makes them the told ones.  While there are any they are in the file `mark_path`,
 * which /readyz tells of, made anew where it is not as it should be: the service goes on, since
 * what it serves is not touched by them. */
void kept_tell(struct buf *told, struct str kept, const char *mark_path);
