/* One client of the writer: a socket, what it sent so far, and what it has not taken yet.
 * Nothing here blocks, so half a frame or a client that does not read holds up nobody. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "writer/message.h"

struct writer_connection {
    int fd;
    struct buf in;                  /* bytes that came and are not used up */
    struct buf out;                 /* reply frames */
    size_t out_sent;                /* bytes of `out` that are gone */
    bool has_request;               /* `request` is whole and waits; it points into `in` */
    struct message_request request; /* while has_request */
    bool is_queued;                 /* the request is in the loop's queue, which sets this */
    bool is_broken;                 /* to be closed: hung up, malformed, or an error */
    bool wants_output;              /* what epoll was last told */
};

struct writer_connection *writer_connection_new(int fd); /* owns fd */
void writer_connection_close(struct writer_connection **c);
/* Takes what the socket has, up to a whole request. */
void writer_connection_read(struct writer_connection *c);
/* Sends what can be sent. */
void writer_connection_flush(struct writer_connection *c);
/* The request was answered into `out`: forget it and look for the next. */
void writer_connection_next(struct writer_connection *c);
/* For the handover: from now on the client's sends fail, and what it sent in whole before is
 * answered `moved`; then flushes, waiting a moment for a client that is slow to read. */
void writer_connection_move(struct writer_connection *c);
