/* One client of the writer: its socket, what was received, and what is still to be sent.
 * Nothing here blocks, so half a frame or a client that does not read delays no other client.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "writer/message.h"

struct writer_connection {
    int fd;
    struct buf in;                  /* received bytes that were not processed yet */
    struct buf out;                 /* reply frames */
    size_t out_sent;                /* bytes of `out` that were sent */
    bool has_request;               /* `request` is whole and waits; it points into `in` */
    struct message_request request; /* while has_request */
    bool is_queued;                 /* the request is in the loop's queue, which sets this */
    bool is_broken;                 /* to be closed: hung up, malformed, or an error */
    bool wants_output;              /* epoll watches for writability */
};

struct writer_connection *writer_connection_new(int fd); /* owns fd */
void writer_connection_close(struct writer_connection **c);
/* Reads from the socket until a whole request is there or nothing more has arrived. */
void writer_connection_read(struct writer_connection *c);
/* Sends as much as the socket takes. */
void writer_connection_flush(struct writer_connection *c);
/* The request was answered into `out`: discards it and looks for the next one. */
void writer_connection_next(struct writer_connection *c);
/* For the handover: makes the client's further sends fail, and answers `moved` to requests that
 * arrived whole before; then flushes, waiting briefly for a client that is slow to read. */
void writer_connection_move(struct writer_connection *c);
