/* One HTTP response.  A handler sets status and headers and fills `body`; the dispatcher sends
 * it after the handler has returned.  A long response is streamed instead: once
 * response_begin_stream has sent the head, what is written goes to the client in chunks and
 * memory stays constant.  Disadvantage: a failure can then only cut the response short. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "http/request.h"

#define RESPONSE_BODY_BYTES_MAX (64 * MIB)
/* How long a streamed response may take in all.  A client that reads nothing is disconnected
 * earlier, by the timeout of its socket (SERVE_WRITE_STALL_MS). */
#define RESPONSE_STREAM_MS_MAX 600000

/* Where the bytes go: libfcgi, or a buffer in tests.  `write` returns false when the client is
 * gone. */
struct http_sink {
    bool (*write)(void *context, struct str bytes);
    void *context;
};

struct response {
    const struct request *request;
    struct http_sink sink;
    int status;              /* 200 until set */
    const char *type;        /* Content-Type; NULL when there is no body */
    struct buf head;         /* header lines */
    struct buf body;         /* what has not been sent yet */
    uint64_t body_bytes;     /* of the whole body so far, for a HEAD too */
    uint64_t stream_ends_us; /* steady clock */
    bool has_etag;           /* decides Cache-Control */
    bool is_streaming;
    bool is_broken; /* cut short: the client is gone, too slow, or the handler failed */
};

void response_init(struct response *r, const struct request *request, struct http_sink sink);
void response_free(struct response *r);
/* Discards status, headers and body, to answer something else.  Not after the head was sent. */
void response_reset(struct response *r);

/* Adds a header line.  Control characters in the value become '?'. */
void response_header(struct response *r, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* Sets the ETag to the text (letters, digits and dashes) and the release.  True when the client
 * has this ETag already: the response is then 304 and its body is not sent, so a handler that
 * calls this first can skip its work.  A response without an ETag is not stored by caches. */
bool response_is_known(struct response *r, struct str etag);

/* Sends the head.  `type` is as response.type. */
MUST_CHECK bool response_begin_stream(struct response *r, const char *type, struct err *err);
/* False for a HEAD request: nothing need be written. */
bool response_wants_body(const struct response *r);
/* Sends `body` if it has reached the size of a chunk.  Called for streams after each row. */
MUST_CHECK bool response_flush_stream(struct response *r, struct err *err);
/* Sends the rest: all of a buffered response, or the end of a stream. */
void response_finish(struct response *r);
