/* See probe.h. */
#include "process/probe.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PAUSE_MS 50
/* Between two lines that say that it takes long. */
#define PATIENCE_US (10 * UINT64_C(1000000))

/* The status of the answer; 0 when there was none. */
static int
ask(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = PROBE_SOCKET};
    struct timeval timeout = {.tv_sec = 5};
    struct str question = STR("GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n");
    char answer[64] = "";
    int status = 0;
    struct err err;
    scoped_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
        return 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    if (!fs_write(fd, question, &err) || read(fd, answer, sizeof(answer) - 1) <= 0)
        return 0;
    return sscanf(answer, "HTTP/1.%*c %d", &status) == 1 ? status : 0;
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
    for (;;) {
        int status = ask();
        if (status == 200)
            _exit(0);
        if (clock_steady_us() > complain_us) {
            log_message(LOG_WARN, "not_ready", "GET /readyz answers %d", status);
            complain_us += PATIENCE_US;
        }
        clock_sleep_ms(PAUSE_MS);
    }
}
