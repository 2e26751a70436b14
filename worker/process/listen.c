#include "process/listen.h"

#include "base/clock.h"
#include "base/fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BIND_ATTEMPTS 20
#define BIND_PAUSE_MS 50

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t
make_address(struct str text, uint64_t port, union address *out)
{
    char host[INET6_ADDRSTRLEN];
    snprintf(host, sizeof(host), "%" STR_FMT, STR_ARG(text));
    *out = (union address){0};
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons((uint16_t)port);
        return sizeof(out->v4);
    }
    /* One of the two matches: config_load has checked the address. */
    int parsed = inet_pton(AF_INET6, host, &out->v6.sin6_addr);
    assert(parsed == 1);
    (void)parsed;
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons((uint16_t)port);
    return sizeof(out->v6);
}

static bool
bind_patiently(int fd, const union address *address, socklen_t size)
{
    for (int attempt = 1;; attempt++) {
        if (bind(fd, &address->any, size) == 0)
            return true;
        if (errno != EADDRINUSE || attempt == BIND_ATTEMPTS)
            return false;
        clock_sleep_ms(BIND_PAUSE_MS);
    }
}

static bool
explain_bind(struct str address, uint64_t port, struct err *err)
{
    unsigned long long n = port;
    if (errno == EADDRINUSE)
        return err_set(err, ERR_CONFLICT,
                       "port %llu of %" STR_FMT " is in use by another program: choose another "
                       "with --port (make run PORT=...)",
                       n, STR_ARG(address));
    if (errno == EACCES)
        return err_set(err, ERR_FORBIDDEN,
                       "port %llu needs root: start as root (server.user is then used for "
                       "everything else) or choose one above 1023",
                       n);
    return err_set_errno(err, "listening on %" STR_FMT " port %llu", STR_ARG(address), n);
}

int
listen_open_tcp(struct str address, uint64_t port, struct err *err)
{
    union address to;
    socklen_t size = make_address(address, port, &to);
    scoped_fd fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;
    if (fd < 0) {
        err_set_errno(err, "making a socket for %" STR_FMT, STR_ARG(address));
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (to.any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (!bind_patiently(fd, &to, size) || listen(fd, LISTEN_BACKLOG)) {
        explain_bind(address, port, err);
        return -1;
    }
    int kept = fd;
    fd = -1;
    return kept;
}

int
listen_open_unix(const char *path, bool is_blocking, struct err *err)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int n = snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    assert(n < (int)sizeof(to.sun_path));
    (void)n;
    int flags = SOCK_STREAM | SOCK_CLOEXEC | (is_blocking ? 0 : SOCK_NONBLOCK);
    scoped_fd fd = socket(AF_UNIX, flags, 0);
    /* The caller holds the data directory's lock, so this can only be a predecessor's. */
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) || chmod(path, 0660) ||
        listen(fd, LISTEN_BACKLOG)) {
        err_set_errno(err, "listening on %s", path);
        return -1;
    }
    int kept = fd;
    fd = -1;
    return kept;
}
