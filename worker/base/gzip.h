/* Gzip streams (RFC 1952, several members in a row included) out of memory, a chunk at a
 * time. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct gzip;
bool gzip_begins(struct str head);        /* by its first two bytes */
struct gzip *gzip_open(struct str bytes); /* which have to outlive it */
void gzip_close(struct gzip **g);
#define scoped_gzip SCOPED(gzip_close) struct gzip *

/* Writes up to `cap` bytes and says how many; 0 only at the end.  bad_gzip for a damaged or cut
 * stream, and for anything but zero padding behind one. */
MUST_CHECK bool gzip_read(struct gzip *g, char *out, size_t cap, size_t *n, struct err *err);
/* Compressed bytes that have been used. */
size_t gzip_position(const struct gzip *g);
/* Appends all of a stream.  out->is_full where it does not fit: what is behind is not read. */
MUST_CHECK bool gzip_read_all(struct buf *out, struct str bytes, struct err *err);
