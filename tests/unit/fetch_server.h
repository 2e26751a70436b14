/* A server of canned answers in a thread of the test, which is all that it can reach.
 *
 * Functions of libc are replaced so that no test can leave the machine: a name resolves to
 * 127.0.0.1, as an attacker's DNS would have it, or where PUBLIC_ADDRESSES says, and every
 * connect() goes to the server, which counts it.  A connection that the policy should have
 * refused is therefore seen, whatever its address and port. */
#pragma once

#include "base/fs.h"
#include "fetch/fetch.h"
#include "memory_file.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The server */

static struct {
    int fd;
    in_port_t port; /* network order */
    atomic_int connections;
    atomic_int connects; /* calls of connect(), from any thread */
} server;

enum behaviour { ONCE, ENDLESS, DRIBBLE, SILENT };

struct answer {
    const char *path;
    const char *text; /* sent first; %1$d is the server's port */
    enum behaviour behaviour;
    const char *more; /* for ENDLESS and DRIBBLE: sent again and again */
};

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/csv\r\n"
#define MOVED "HTTP/1.1 302 Found\r\nContent-Length: 5\r\nLocation: "

static const struct answer ANSWERS[] = {
    {"/ok", OK_HEAD "Content-Length: 8\r\n\r\na,b\n1,2\n", ONCE, NULL},
    {"/chunked",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\na,b\n\r\n4\r\n1,2\n\r\n0\r\n\r\n", ONCE,
     NULL},
    {"/close", "HTTP/1.0 200 OK\r\n\r\na,b\n1,2\n", ONCE, NULL},
    {"/empty", OK_HEAD "Content-Length: 0\r\n\r\n", ONCE, NULL},
    {"/cut", OK_HEAD "Content-Length: 1000\r\n\r\na,b\n", ONCE, NULL},
    {"/cut-chunked", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\na,b\n\r\n400\r\n1", ONCE,
     NULL},
    {"/nothing", "", ONCE, NULL},
    {"/big", OK_HEAD "Content-Length: 100000000000\r\n\r\n", ENDLESS, "0123456789abcdef"},
    {"/endless", OK_HEAD "\r\n", ENDLESS, "0123456789abcdef"},
    {"/endless-chunked", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n", ENDLESS,
     "10\r\n0123456789abcdef\r\n"},
    {"/endless-headers", OK_HEAD, ENDLESS, "X-More: 0123456789abcdef0123456789abcdef\r\n"},
    {"/slow", OK_HEAD "Content-Length: 900\r\n\r\n", DRIBBLE, "x"},
    {"/silent", "", SILENT, NULL},
    {"/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", ONCE, NULL},
    {"/500", "HTTP/1.1 500 Oops\r\n\r\n", ENDLESS, "oops "},
    {"/201", "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", ONCE, NULL},
    {"/o%20k", OK_HEAD "Content-Length: 8\r\n\r\na,b\n1,2\n", ONCE, NULL},
    {"/to-blank", MOVED "/o k\r\n\r\nmoved", ONCE, NULL},
    {"/to-ok", MOVED "/ok\r\n\r\nmoved", ONCE, NULL},
    {"/to-name", MOVED "http://files.example/ok\r\n\r\nmoved", ONCE, NULL},
    {"/to-to-ok", "HTTP/1.1 301 Moved\r\nLocation: to-ok\r\n\r\n", ENDLESS, "never read "},
    {"/to-self", MOVED "/to-self\r\n\r\nmoved", ONCE, NULL},
    {"/to-private", MOVED "http://10.0.0.1/\r\n\r\nmoved", ONCE, NULL},
    {"/to-metadata", MOVED "http://169.254.169.254/latest/\r\n\r\nmoved", ONCE, NULL},
    {"/to-file", MOVED "file:///etc/passwd\r\n\r\nmoved", ONCE, NULL},
    {"/to-gopher", MOVED "gopher://127.0.0.1:%1$d/_ok\r\n\r\nmoved", ONCE, NULL},
    {"/to-password", MOVED "http://me:secret@127.0.0.1:%1$d/ok\r\n\r\nmoved", ONCE, NULL},
    {"/to-secret-404", MOVED "/404?s3cret\r\n\r\nmoved", ONCE, NULL},
    {"/to-secret-file", MOVED "file:///etc/passwd?s3cret\r\n\r\nmoved", ONCE, NULL},
    {"/to-secret-nowhere", MOVED "http://:1:2/?s3cret\r\n\r\nmoved", ONCE, NULL},
    {"/to-port", MOVED "http://web.example:8080/ok\r\n\r\nmoved", ONCE, NULL},
    {"/to-own", MOVED "http://own.example/ok\r\n\r\nmoved", ONCE, NULL},
    {"/to-nowhere", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", ONCE, NULL},
};

/* Blocks for so long or until the client hangs up. */
static inline bool
hung_up(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};
    return poll(&poll_fd, 1, timeout_ms) > 0;
}

static inline bool
send_text(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static inline void
serve_answer(int fd, const struct answer *answer)
{
    char text[1024];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    snprintf(text, sizeof(text), answer->text, ntohs(server.port));
#pragma GCC diagnostic pop
    if (!send_text(fd, text))
        return;
    switch (answer->behaviour) {
    case ONCE:
        return;
    case ENDLESS:
        while (send_text(fd, answer->more))
            ;
        return;
    case DRIBBLE:
        while (!hung_up(fd, 50) && send_text(fd, answer->more))
            ;
        return;
    case SILENT:
        hung_up(fd, 10000);
        return;
    }
}

static inline void
serve_connection(int fd)
{
    char request[8192] = "";
    size_t n = 0;
    while (!strstr(request, "\r\n\r\n")) {
        ssize_t got = recv(fd, request + n, sizeof(request) - 1 - n, 0);
        if (got <= 0)
            return;
        n += (size_t)got;
        request[n] = '\0';
    }
    /* What no request of ours may carry. */
    assert(!strstr(request, "Cookie:") && !strstr(request, "Authorization:"));
    assert(strstr(request, "Accept-Encoding: identity\r\n"));
    for (size_t i = 0; i < COUNT_OF(ANSWERS); i++) {
        size_t length = strlen(ANSWERS[i].path);
        if (strncmp(request + 4, ANSWERS[i].path, length) == 0 &&
            strchr(" ?", request[4 + length]))
            serve_answer(fd, &ANSWERS[i]);
    }
}

static inline void *
serve(void *unused)
{
    int fd;
    while ((fd = accept(server.fd, NULL, NULL)) >= 0) {
        server.connections++;
        serve_connection(fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
    return unused;
}

/* Replacements of libc's functions, used by libcurl too */

int
connect(int fd, const struct sockaddr *address, socklen_t bytes)
{
    typedef int connect_fn(int, const struct sockaddr *, socklen_t);
    static connect_fn *real;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "connect");
    if (address->sa_family == AF_UNIX)
        return real(fd, address, bytes);
    server.connects++;
    if (address->sa_family != AF_INET) {
        errno = ENETUNREACH;
        return -1;
    }
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = server.port,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return real(fd, (struct sockaddr *)&to, sizeof(to));
}

#define OWN_ADDRESS "5.6.7.8" /* of this machine, and public */

static const struct {
    const char *name, *address;
} PUBLIC_ADDRESSES[] = {{"web.example", "8.8.8.8"}, {"own.example", OWN_ADDRESS}};

static inline in_addr_t
address_of(const char *name)
{
    for (size_t i = 0; name && i < COUNT_OF(PUBLIC_ADDRESSES); i++)
        if (strcmp(name, PUBLIC_ADDRESSES[i].name) == 0)
            return inet_addr(PUBLIC_ADDRESSES[i].address);
    return htonl(INADDR_LOOPBACK);
}

int
getifaddrs(struct ifaddrs **out)
{
    static struct sockaddr_in address = {.sin_family = AF_INET};
    static struct ifaddrs own = {.ifa_addr = (struct sockaddr *)&address};
    address.sin_addr.s_addr = inet_addr(OWN_ADDRESS);
    *out = &own;
    return 0;
}

void
freeifaddrs(struct ifaddrs *list)
{
    (void)list;
}

struct resolved {
    struct addrinfo info;
    struct sockaddr_in address;
};

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **out)
{
    (void)hints;
    if (node && str_ends(str_from(node), STR(".invalid")))
        return EAI_NONAME;
    struct resolved *r = calloc(1, sizeof(*r));
    assert(r);
    r->address = (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(service ? (uint16_t)strtoul(service, NULL, 10) : 0),
        .sin_addr.s_addr = address_of(node)};
    r->info = (struct addrinfo){.ai_family = AF_INET,
                                .ai_socktype = SOCK_STREAM,
                                .ai_protocol = IPPROTO_TCP,
                                .ai_addrlen = sizeof(r->address),
                                .ai_addr = (struct sockaddr *)&r->address};
    *out = &r->info;
    return 0;
}

void
freeaddrinfo(struct addrinfo *info)
{
    free(info);
}

/* Helpers */

static const uint16_t PORTS[] = {80, 443};
static const struct fetch_policy POLICY = {.bytes_max = 1000,
                                           .ports = PORTS,
                                           .port_count = COUNT_OF(PORTS),
                                           .connect_timeout_ms = 2000,
                                           .total_timeout_ms = 10000,
                                           .low_speed_bytes_per_s = 1000,
                                           .low_speed_s = 1,
                                           .allows_loopback = true,
                                           .redirects_max = 3};

static inline int
start_server(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof(address);
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&address, bytes), 0);
    assert_int_equal(listen(server.fd, 16), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&address, &bytes), 0);
    server.port = address.sin_port;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
    pthread_detach(thread);
    return 0;
}

static inline struct str
url_of(struct arena *a, const char *path)
{
    return arena_printf(a, "http://127.0.0.1:%d%s", ntohs(server.port), path);
}

/* The file's content, or the error's code. */
static inline struct str
fetched(struct arena *a, struct str url, const struct fetch_policy *policy)
{
    scoped_fd fd = memory_file(STR(""));
    uint64_t bytes = 0;
    struct err err = {0};
    if (!fetch_url(url, fd, policy, NULL, NULL, &bytes, &err)) {
        assert_true(err.detail[0] != '\0');
        return arena_str(a, str_from(err_code(&err)));
    }
    struct fs_map map;
    assert_true(fs_map_open(&map, fd, &err));
    assert_int_equal(map.bytes.n, bytes);
    struct str body = arena_str(a, map.bytes);
    fs_map_close(&map);
    return body;
}

static inline void
assert_fetched(const char *path, const char *expected)
{
    scoped_arena a = {0};
    assert_string_equal(fetched(&a, url_of(&a, path), &POLICY).p, expected);
}
