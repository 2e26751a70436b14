/* Telling of folders that nothing may remove, since the database does not answer for them. */
#pragma once

#include "base/buf.h"

#define KEPT_BYTES_MAX (32 * KIB)

/* `kept` are the lines of a sweep, at most KEPT_BYTES_MAX.  Logs those that are not in `told`,
 * once each, and makes `told` a copy of `kept`: zeroed at first, with room for KEPT_BYTES_MAX
 * after each call, the caller's to free.  While there are any lines they are in the file
 * `mark_path`, which /readyz tells of, rewritten when its content differs: the service goes on,
 * since what it serves is not touched by them. */
void kept_tell(struct buf *told, struct str kept, const char *mark_path);
