/* Turns nginx's error log into lines of our own log.  nginx's stderr is a pipe that the
 * supervisor reads; each line becomes one with the event "nginx".  Of the request in it, only
 * what a log may hold is kept: address, method, and the path without its query.
 *
 * Neither side blocks: when the pipe is full nginx drops the line, and reading takes what is
 * there.  After the supervisor's end, nginx's lines are lost. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct nginx_log {
    int read_fd;
    int write_fd;    /* nginx's stderr */
    struct buf line; /* the beginning of a line whose end has not arrived yet */
};

/* Makes the pipe; both ends are non-blocking. */
MUST_CHECK bool nginx_log_open(struct nginx_log *log, struct err *err);
/* Logs the whole lines that have arrived, at most a pipe's content, so that a flood of lines
 * does not keep the caller busy. */
void nginx_log_read(struct nginx_log *log);
/* Logs what is left and closes the pipe. */
void nginx_log_close(struct nginx_log *log);

/* The parts of one line of nginx's error log:
 *
 *     YYYY/MM/DD hh:mm:ss [level] pid#thread: *connection message, client: address, server: _,
 *         request: "METHOD path?query HTTP/1.1", upstream: "...", host: "...", referrer: "..."
 *     nginx: [level] message
 *
 * From `client` on parts may be missing, or cut off where nginx's limit of 2,048 bytes is
 * reached.  A line of any other form is all message.  The parts point into the line. */
struct nginx_log_line {
    enum log_level level;
    int64_t pid; /* 0 when the line has none */
    struct str message, address, method, path;
};
void nginx_log_parse(struct str text, struct nginx_log_line *out);
