#include "process/probe.h"

#include "api/readiness.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "json/read.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A start takes a fraction of a second, a check of many files minutes; the pause grows. */
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS 1000
#define ANSWER_BYTES_MAX (16 * KIB)
/* The time between two log lines that say that the start takes long. */
#define PATIENCE_US (10 * UINT64_C(1000000))

/* The status of the response; 0 when there was none. */
static int
ask(struct buf *answer)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = PROBE_SOCKET};
    struct timeval timeout = {.tv_sec = 5};
    struct str question = STR("GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n");
    char chunk[KIB];
    int status = 0;
    ssize_t n;
    struct err err;
    scoped_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
        return 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (!fs_write(fd, question, &err))
        return 0;
    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        buf_add(answer, (struct str){chunk, (size_t)n});
    if (answer->n == 0 || answer->is_full)
        return 0;
    char line[16] = "";
    memcpy(line, answer->p, MIN(answer->n, sizeof(line) - 1));
    return sscanf(line, "HTTP/1.%*c %d", &status) == 1 ? status : 0;
}

/* Are lost rows the only problem?  Then waiting does not help, and all else is served. */
static bool
needs_a_person(struct str answer, struct buf *detail)
{
    scoped_arena a = {0};
    const struct json_value *root;
    struct err ignored;
    ptrdiff_t body = str_find(answer, STR("\r\n\r\n"));
    if (body < 0 || !json_read(&a, str_skip(answer, (size_t)body + 4), &root, &ignored))
        return false;
    const struct json_value *errors = json_get(root, "errors");
    struct str name, text;
    if (!errors || errors->child_count != 1 ||
        !json_as_str(json_get(errors->children, "name"), &name) ||
        !json_as_str(json_get(errors->children, "detail"), &text))
        return false;
    buf_add(detail, text);
    return str_eq(name, STR(READINESS_LOST));
}

void
probe_become(int supervisor_pid)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor_pid)
        _exit(1);
    signal(SIGPIPE, SIG_IGN);
    log_set_role("probe");
    uint64_t complain_us = clock_steady_us() + PATIENCE_US;
    for (unsigned pause_ms = PAUSE_FIRST_MS;; pause_ms = MIN(pause_ms * 2, PAUSE_MAX_MS)) {
        scoped_buf answer = {.max = ANSWER_BYTES_MAX}, detail = {.max = ANSWER_BYTES_MAX};
        int status = ask(&answer);
        if (status == 200)
            _exit(0);
        if (status == 503 && needs_a_person(buf_str(&answer), &detail)) {
            log_message(LOG_WARN, "not_ready", "%" STR_FMT, STR_ARG(buf_str(&detail)));
            _exit(0);
        }
        if (clock_steady_us() > complain_us) {
            log_message(LOG_WARN, "not_ready", "GET /readyz answers %d", status);
            complain_us += PATIENCE_US;
        }
        clock_sleep_ms(pause_ms);
    }
}
