/* One JSON line per event on stderr, written with a single write() so that lines of several
 * processes never mix.  Only the dispatcher and process/ log; all else returns its error. */
#pragma once

#include "base/buf.h"

/* Sets the field `role` of every later line: "supervisor", "query", "writer", ...  The pointer
 * is kept. */
void log_set_role(const char *role);

/* A line is begun with its event (snake_case), filled, and ended:
 *     struct log_line line = log_begin(LOG_INFO, "job_finished");
 *     log_str(&line, "job", id); log_int(&line, "rows", n); log_end(&line);
 * Values are escaped here; a line is cut at 8 KiB. */
enum log_level { LOG_INFO, LOG_WARN, LOG_ERROR };
struct log_line {
    struct buf text;
};
struct log_line log_begin(enum log_level level, const char *event);
void log_str(struct log_line *line, const char *key, struct str value);
void log_int(struct log_line *line, const char *key, int64_t value);
void log_end(struct log_line *line);

/* A whole line with one message. */
void log_message(enum log_level level, const char *event, const char *fmt, ...) PRINTF(3, 4);
