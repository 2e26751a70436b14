/* nginx's error log as lines of our own log.  nginx's stderr is a pipe that the supervisor
 * reads; each line becomes one with the event "nginx", and of the request in it no more is kept
 * than a log may hold: address, method, and the path without its query.
 *
 * Nobody waits for the other: where the pipe is full nginx drops a line and goes on, and
 * reading takes what is there.  After the supervisor's end nginx writes to nobody. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct nginx_log {
    int read_fd;
    int write_fd;    /* nginx's stderr */
    struct buf line; /* the beginning of one whose end has not come */
};

MUST_CHECK bool nginx_log_open(struct nginx_log *log, struct err *err);
/* Logs the whole lines that have come.  At most a pipe's worth, so that a flood of them does
 * not keep the caller. */
void nginx_log_read(struct nginx_log *log);
/* Reads for the last time. */
void nginx_log_close(struct nginx_log *log);

/* What a line says:
 *
 *     YYYY/MM/DD hh:mm:ss [level] pid#thread: *connection message, client: address, server: _,
 *         request: "METHOD path?query HTTP/1.1", upstream: "...", host: "...", referrer: "..."
 *     nginx: [level] message
 *
 * From `client` on parts may be missing, or cut where nginx's 2,048 bytes end.  A line of
 * another shape is all message.  The parts point into the line. */
struct nginx_log_line {
    enum log_level level;
    int64_t pid; /* 0 where none is said */
    struct str message, address, method, path;
};
void nginx_log_parse(struct str text, struct nginx_log_line *out);
