/* One HTTP answer.  A handler sets status and headers and fills `body`; the dispatcher sends it
 * when the handler is done.  A long answer is streamed instead: once response_begin_stream has
 * sent the head, what is written goes to the client in chunks and memory stays flat, at the
 * price that a failure can only cut the answer short. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "http/request.h"

#define RESPONSE_BODY_BYTES_MAX (64 * MIB)
/* How long a streamed answer may take as a whole; a client that reads nothing at all is given
 * up earlier, by the timeout of its socket. */
#define RESPONSE_STREAM_MS_MAX 600000

/* Where the bytes go: libfcgi, or a buffer in tests.  False: the client is gone. */
struct http_sink {
    bool (*write)(void *context, struct str bytes);
    void *context;
};

struct response {
    const struct request *request;
    struct http_sink sink;
    int status;              /* 200 until set */
    const char *type;        /* Content-Type; NULL for no body */
    struct buf head;         /* header lines */
    struct buf body;         /* what was not sent yet */
    uint64_t body_bytes;     /* of the body so far, also of a HEAD's */
    uint64_t stream_ends_us; /* steady clock */
    bool has_etag;           /* so a cache may keep it */
    bool is_streaming;
    bool is_broken; /* cut short: the client is gone, too slow, or the handler failed */
};

void response_init(struct response *r, const struct request *request, struct http_sink sink);
void response_free(struct response *r);
/* Forgets status, headers and body, to answer something else.  Not once streaming. */
void response_reset(struct response *r);

/* Adds a header line.  Control characters in the value become '?'. */
void response_header(struct response *r, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* Sets ETag to the text (of letters, digits and dashes) and the release; true when the client
 * has it already: then the answer is 304, and what the body holds is not sent, so a handler
 * that asks before it does the work is done.  An answer without a tag is stored by nobody. */
bool response_is_known(struct response *r, struct str etag);

/* Sends the head.  `type` as in the field. */
MUST_CHECK bool response_begin_stream(struct response *r, const char *type, struct err *err);
/* A HEAD request wants the head alone: nothing need be written. */
bool response_wants_body(const struct response *r);
/* Sends body when it has grown past a chunk.  For streams, after each row. */
MUST_CHECK bool response_flush_stream(struct response *r, struct err *err);
/* The rest of it: all of a buffered answer, or the end of a stream. */
void response_finish(struct response *r);
