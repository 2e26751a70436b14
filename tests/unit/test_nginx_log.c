/* Lines of nginx's error log: what is kept of them, and that none of them is taken for more
 * than it is. */
#include "base/log.h"
#include "process/nginx_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DATE "2026/12/01 12:38:32 "

static const struct {
    const char *text;
    enum log_level level;
    int pid;
    const char *message, *address, *method, *path;
} LINES[] = {
    {DATE "[notice] 12#13: using inherited sockets from \"4;5;\"", LOG_INFO, 12,
     "using inherited sockets from \"4;5;\"", "", "", ""},
    {DATE "[warn] 7#7: *45 limiting requests, excess: 2.98 by zone \"reads\", client: ::1, "
          "server: _, request: \"GET /v1/a?token=secret HTTP/1.1\", host: \"secret\", "
          "referrer: \"https://x/?secret\"",
     LOG_WARN, 7, "limiting requests, excess: 2.98 by zone \"reads\"", "::1", "GET", "/v1/a"},
    {DATE "[error] 7#7: *4 connect() failed, client: unix:, server: _, request: \"PUT /a",
     LOG_ERROR, 7, "connect() failed", "unix:", "PUT", "/a"},
    {DATE "[crit] 7#7: *4 SSL_do_handshake() failed while SSL handshaking, client: 10.0.0.1, "
          "server: 0.0.0.0:443",
     LOG_ERROR, 7, "SSL_do_handshake() failed while SSL handshaking", "10.0.0.1", "", ""},
    /* A request may hold whatever it likes, quotes and our own separators among it. */
    {DATE "[warn] 7#7: *1 m, client: 1.2.3.4, server: _, request: \"GET /\", client: a\"?x, "
          "request: \"secret\" HTTP/1.1\"",
     LOG_WARN, 7, "m", "1.2.3.4", "GET", "/"},
    {DATE "[warn] 7#7: *1 m, client: 1.2.3.4, server: _, request: \"GET?secret\"", LOG_WARN, 7,
     "m", "1.2.3.4", "GET", ""},
    {DATE "[warn] 7#7: *1 m, client: 1.2.3.4, server: _, request: \"", LOG_WARN, 7, "m",
     "1.2.3.4", "", ""},
    {"nginx: [emerg] unknown directive \"x\" in /d/nginx.conf:3", LOG_ERROR, 0,
     "unknown directive \"x\" in /d/nginx.conf:3", "", "", ""},
    {"playmeter: /usr/sbin/nginx: Exec format error", LOG_WARN, 0,
     "playmeter: /usr/sbin/nginx: Exec format error", "", "", ""},
    {DATE "[emerg", LOG_WARN, 0, DATE "[emerg", "", "", ""},
    {DATE "[alert] x#y: z", LOG_ERROR, 0, "x#y: z", "", "", ""},
    {"free(): invalid pointer [error] 1#1: a", LOG_WARN, 0,
     "free(): invalid pointer [error] 1#1: a", "", "", ""},
    {"", LOG_WARN, 0, "", "", "", ""},
};

static void
assert_str(struct str got, const char *wanted)
{
    if (!str_eq(got, str_from(wanted)))
        fail_msg("got '%" STR_FMT "', not '%s'", STR_ARG(got), wanted);
}

static void
lines_keep_what_a_log_may_hold(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(LINES); i++) {
        struct nginx_log_line line;
        nginx_log_parse(str_from(LINES[i].text), &line);
        assert_int_equal(line.level, LINES[i].level);
        assert_int_equal(line.pid, LINES[i].pid);
        assert_str(line.message, LINES[i].message);
        assert_str(line.address, LINES[i].address);
        assert_str(line.method, LINES[i].method);
        assert_str(line.path, LINES[i].path);
    }
}

/* What our own stderr gets of `chunks`, each read by itself. */
static void
log_chunks(const char *const *chunks, size_t count, struct buf *out)
{
    struct nginx_log log;
    struct err err;
    int fds[2], kept = dup(STDERR_FILENO);
    char got[16 * KIB];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    dup2(fds[1], STDERR_FILENO);
    assert_true(nginx_log_open(&log, &err));
    for (size_t i = 0; i < count; i++) {
        ssize_t n = (ssize_t)strlen(chunks[i]);
        assert_int_equal(write(log.write_fd, chunks[i], (size_t)n), n);
        nginx_log_read(&log);
    }
    nginx_log_close(&log);
    dup2(kept, STDERR_FILENO);
    ssize_t n = read(fds[0], got, sizeof(got));
    buf_add(out, (struct str){got, (size_t)MAX(n, 0)});
    close(kept);
    close(fds[0]);
    close(fds[1]);
}

static size_t
count_lines(struct str text, const char *with)
{
    size_t count = 0;
    while (text.n)
        count += str_find(str_cut(&text, '\n'), str_from(with)) >= 0;
    return count;
}

static void
chunks_become_whole_lines(void **state UNUSED)
{
    static const char *const CHUNKS[] = {"a\nb", "c", "\n\n\nd\n", "e"};
    scoped_buf out;
    buf_init(&out, MIB);
    log_chunks(CHUNKS, COUNT_OF(CHUNKS), &out);
    assert_int_equal(count_lines(buf_str(&out), "\"event\":\"nginx\""), 4);
    static const char *const WHOLE[] = {"a", "bc", "d", "e"};
    for (size_t i = 0; i < COUNT_OF(WHOLE); i++) {
        char member[64];
        snprintf(member, sizeof(member), "\"message\":\"%s\"}", WHOLE[i]);
        assert_int_equal(count_lines(buf_str(&out), member), 1);
    }
}

static void
a_line_without_an_end_is_cut(void **state UNUSED)
{
    char large[3 * KIB];
    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    const char *chunks[] = {large, large, large, "\nafter\n"};
    scoped_buf out;
    buf_init(&out, MIB);
    log_chunks(chunks, COUNT_OF(chunks), &out);
    assert_int_equal(count_lines(buf_str(&out), "\"event\":\"nginx\""), 2);
    assert_int_equal(count_lines(buf_str(&out), "\"message\":\"after\"}"), 1);
}

/* As while the supervisor waits for something else. */
static void
a_full_pipe_drops_a_line_and_waits_for_nobody(void **state UNUSED)
{
    struct nginx_log log;
    struct err err;
    char large[4 * KIB];
    memset(large, '\n', sizeof(large));
    assert_true(nginx_log_open(&log, &err));
    size_t taken = 0;
    while (write(log.write_fd, large, sizeof(large)) > 0)
        taken++;
    assert_in_range(taken, 2, 1024);
    nginx_log_close(&log);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_keep_what_a_log_may_hold),
        cmocka_unit_test(chunks_become_whole_lines),
        cmocka_unit_test(a_line_without_an_end_is_cut),
        cmocka_unit_test(a_full_pipe_drops_a_line_and_waits_for_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
