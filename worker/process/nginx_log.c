#include "process/nginx_log.h"

#include "base/fs.h"
#include "base/num.h"

#include <fcntl.h>
#include <unistd.h>

/* Linux's default maximum for a user's pipe.  It holds 50 ms of a flood of 100,000 refusals a
 * second, as the supervisor may be waiting for nginx -t. */
#define PIPE_BYTES MIB
/* nginx's own lines have at most 2,048 bytes; those of libraries that it loads may be longer.
 */
#define LINE_BYTES_MAX (4 * KIB)
#define DATE_BYTES 19

bool
nginx_log_open(struct nginx_log *log, struct err *err)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
        return err_set_errno(err, "making a pipe for nginx's log");
    /* When the size is refused, the pipe holds 64 KiB, and nginx drops more lines of a flood.
     */
    (void)fcntl(fds[1], F_SETPIPE_SZ, (int)PIPE_BYTES);
    *log = (struct nginx_log){.read_fd = fds[0], .write_fd = fds[1]};
    buf_init(&log->line, LINE_BYTES_MAX);
    return true;
}

/* What follows the date, or "nginx:". */
static bool
take_level(struct str *rest, enum log_level *out)
{
    ptrdiff_t at = str_find(str_slice(*rest, 0, DATE_BYTES + 2), STR(" ["));
    if (at < 0)
        return false;
    struct str behind = str_skip(*rest, (size_t)at + 2);
    struct str word = str_cut(&behind, ']');
    if (!behind.p)
        return false;
    bool is_info = str_eq(word, STR("notice")) || str_eq(word, STR("info"));
    *out = is_info ? LOG_INFO : str_eq(word, STR("warn")) ? LOG_WARN : LOG_ERROR;
    *rest = str_trim(behind);
    return true;
}

/* pid "#" thread ": " ["*" connection " "] */
static int64_t
take_pid(struct str *rest)
{
    int64_t pid, ignored;
    struct str behind = *rest;
    struct str first = str_cut(&behind, '#'), second = str_cut(&behind, ':');
    if (!num_parse_i64(first, &pid) || !num_parse_i64(second, &ignored))
        return 0;
    *rest = str_trim(behind);
    if (str_starts(*rest, STR("*")))
        str_cut(rest, ' ');
    return pid;
}

static struct str
cut_at_any(struct str s, const char *ends)
{
    size_t n = 0;
    while (n < s.n && str_find_char(str_from(ends), s.p[n]) < 0)
        n++;
    return str_slice(s, 0, n);
}

void
nginx_log_parse(struct str text, struct nginx_log_line *out)
{
    struct str rest = text;
    *out = (struct nginx_log_line){.level = LOG_WARN};
    if (take_level(&rest, &out->level))
        out->pid = take_pid(&rest);
    ptrdiff_t client = str_find(rest, STR(", client: "));
    out->message = client < 0 ? rest : str_slice(rest, 0, (size_t)client);
    if (client < 0)
        return;
    rest = str_skip(rest, (size_t)client + STR(", client: ").n);
    out->address = cut_at_any(rest, ",");
    ptrdiff_t request = str_find(rest, STR(", request: \""));
    if (request < 0)
        return;
    rest = str_skip(rest, (size_t)request + STR(", request: \"").n);
    out->method = cut_at_any(rest, " ?\"");
    rest = str_skip(rest, out->method.n);
    if (str_starts(rest, STR(" ")))
        out->path = cut_at_any(str_skip(rest, 1), " ?\"");
}

static void
log_line(struct str text)
{
    struct nginx_log_line line;
    nginx_log_parse(text, &line);
    struct log_line out = log_begin(line.level, "nginx");
    log_int(&out, "nginx_pid", line.pid);
    log_str(&out, "message", line.message);
    if (line.address.n)
        log_str(&out, "address", line.address);
    if (line.method.n) {
        log_str(&out, "method", line.method);
        log_str(&out, "path", line.path);
    }
    log_end(&out);
}

static void
take(struct nginx_log *log, struct str chunk)
{
    while (chunk.n) {
        struct str part = str_cut(&chunk, '\n');
        bool has_ended = chunk.p != NULL;
        buf_add(&log->line, str_slice(part, 0, LINE_BYTES_MAX - log->line.n));
        if (has_ended && log->line.n)
            log_line(buf_str(&log->line));
        if (has_ended)
            buf_clear(&log->line);
    }
}

void
nginx_log_read(struct nginx_log *log)
{
    char chunk[4 * KIB];
    for (size_t bytes = 0; bytes < PIPE_BYTES; bytes += sizeof(chunk)) {
        ssize_t n = read(log->read_fd, chunk, sizeof(chunk));
        if (n <= 0)
            return;
        take(log, (struct str){chunk, (size_t)n});
    }
}

void
nginx_log_close(struct nginx_log *log)
{
    nginx_log_read(log);
    take(log, STR("\n"));
    fs_close(&log->read_fd);
    fs_close(&log->write_fd);
    buf_free(&log->line);
}
