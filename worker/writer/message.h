/* The protocol between writer_call and the writer over a stream socket: one request, one reply,
 * alternating.
 *
 *     frame    u32 bytes of the body, little-endian, at most MESSAGE_BYTES_MAX, then the body
 *     request  str operation, str arguments                                (wire.h)
 *     reply    u64 outcome, then
 *                DONE     str reply                  committed
 *                REFUSED  u64 kind, str code, str name, str detail         nothing stored
 *                MOVED                               not run: another writer takes over
 *              exception: REFUSED with code unknown_outcome means that COMMIT itself failed
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* The largest message is the publication of a dataset of 2,000 columns: schema and summaries,
 * about 1 MiB. */
#define MESSAGE_BYTES_MAX (4 * MIB)
#define MESSAGE_HEADER_BYTES 4

enum message_outcome { MESSAGE_DONE = 1, MESSAGE_REFUSED = 2, MESSAGE_MOVED = 3 };

/* Append a whole frame.  False when it would be longer than MESSAGE_BYTES_MAX: too_large. */
MUST_CHECK bool message_add_request(struct buf *out, const char *operation, struct str request,
                                    struct err *err);
/* A reply that is too long is replaced by a refusal. */
void message_add_done(struct buf *out, struct str reply);
void message_add_refused(struct buf *out, const struct err *why);
void message_add_moved(struct buf *out);

/* Cuts the first frame off `*bytes`: 1 with its body, 0 when it is incomplete, -1 when its
 * length is out of bounds. */
MUST_CHECK int message_cut(struct str *bytes, struct str *body, struct err *err);

struct message_request {
    struct str operation, request; /* point into the body */
};
/* Decode a body; false when it is malformed. */
MUST_CHECK bool message_read_request(struct str body, struct message_request *out,
                                     struct err *err);
struct message_reply {
    enum message_outcome outcome;
    struct str reply;   /* DONE; points into the body */
    struct err refusal; /* REFUSED */
};
MUST_CHECK bool message_read_reply(struct str body, struct message_reply *out, struct err *err);
