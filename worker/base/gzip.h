/* Gzip streams (RFC 1952, several members in a row included) out of memory, a chunk at a time.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct gunzip;
bool gunzip_is_gzip(struct str head);
struct gunzip *gunzip_open(struct str bytes); /* which have to outlive it */
void gunzip_close(struct gunzip **g);
#define scoped_gunzip SCOPED(gunzip_close) struct gunzip *

/* Writes up to `cap` bytes and says how many; 0 only at the end.  bad_gzip for a damaged or cut
 * stream, and for anything but zero padding behind one. */
MUST_CHECK bool gunzip_read(struct gunzip *g, char *out, size_t cap, size_t *n,
                            struct err *err);
/* Compressed bytes that have been used. */
size_t gunzip_position(const struct gunzip *g);
