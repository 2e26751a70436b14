/* Fetching, against a server of canned answers in a thread of this program.
 *
 * Functions of libc are replaced so that no test can leave the machine: a name resolves to
 * 127.0.0.1, as an attacker's DNS would have it, or where PUBLIC_ADDRESSES says, and every
 * connect() goes to the server, which counts it.  A connection that the policy should have
 * refused is therefore seen, whatever its address and port. */
#include "base/fs.h"
#include "fetch/fetch.h"

#include <arpa/inet.h>
#include <dirent.h>
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
#include <sys/mman.h>
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
static bool
hung_up(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLRDHUP};
    return poll(&poll_fd, 1, timeout_ms) > 0;
}

static bool
send_text(int fd, const char *text)
{
    return send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text);
}

static void
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

static void
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

static void *
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

static in_addr_t
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

static int
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

static struct str
url_of(struct arena *a, const char *path)
{
    return arena_printf(a, "http://127.0.0.1:%d%s", ntohs(server.port), path);
}

/* The file's content, or the error's code. */
static struct str
fetched(struct arena *a, struct str url, const struct fetch_policy *policy)
{
    scoped_fd fd = memfd_create("body", MFD_CLOEXEC);
    assert_true(fd >= 0);
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

static void
assert_fetched(const char *path, const char *expected)
{
    scoped_arena a = {0};
    assert_string_equal(fetched(&a, url_of(&a, path), &POLICY).p, expected);
}

/* Tests */

static void
body_is_written_however_it_is_framed(void **state)
{
    (void)state;
    assert_fetched("/ok", "a,b\n1,2\n");
    assert_fetched("/chunked", "a,b\n1,2\n");
    assert_fetched("/close", "a,b\n1,2\n");
    assert_fetched("/empty", "");
}

static void
cut_transfer_is_noticed(void **state)
{
    (void)state;
    assert_fetched("/cut", "cut_short");
    assert_fetched("/cut-chunked", "cut_short");
    assert_fetched("/nothing", "cut_short");
}

static void
size_is_bounded_with_and_without_length(void **state)
{
    (void)state;
    assert_fetched("/big", "too_large");
    assert_fetched("/endless", "too_large");
    assert_fetched("/endless-chunked", "too_large");
    assert_fetched("/endless-headers", "too_large");
    scoped_arena a = {0};
    struct fetch_policy policy = POLICY;
    policy.bytes_max = 8;
    assert_string_equal(fetched(&a, url_of(&a, "/chunked"), &policy).p, "a,b\n1,2\n");
    policy.bytes_max = 7;
    assert_string_equal(fetched(&a, url_of(&a, "/chunked"), &policy).p, "too_large");
}

static void
slow_and_silent_servers_are_given_up(void **state)
{
    (void)state;
    scoped_arena a = {0};
    assert_string_equal(fetched(&a, url_of(&a, "/slow"), &POLICY).p, "too_slow");
    struct fetch_policy policy = POLICY;
    policy.total_timeout_ms = 200;
    policy.low_speed_s = 60;
    assert_string_equal(fetched(&a, url_of(&a, "/silent"), &policy).p, "too_slow");
    assert_string_equal(fetched(&a, url_of(&a, "/slow"), &policy).p, "too_slow");
}

static void
only_a_whole_file_is_a_success(void **state)
{
    (void)state;
    assert_fetched("/404", "http_status");
    assert_fetched("/500", "http_status");
    assert_fetched("/201", "http_status");
    assert_fetched("/to-nowhere", "http_status");
}

static void
redirects_are_followed_and_each_is_checked(void **state)
{
    (void)state;
    assert_fetched("/to-ok", "a,b\n1,2\n");
    assert_fetched("/to-to-ok", "a,b\n1,2\n");
    assert_fetched("/to-blank", "a,b\n1,2\n");
    assert_fetched("/to-name", "a,b\n1,2\n");
    assert_fetched("/to-private", "address_not_allowed");
    assert_fetched("/to-metadata", "address_not_allowed");
    assert_fetched("/to-file", "bad_url");
    assert_fetched("/to-gopher", "bad_url");
    assert_fetched("/to-password", "bad_url");
    int before = server.connections;
    assert_fetched("/to-self", "too_many_redirects");
    assert_int_equal(server.connections - before, 4);
}

/* What the error says. */
static struct str
refusal(struct arena *a, const char *url, bool allows_loopback)
{
    struct fetch_policy policy = POLICY;
    policy.allows_loopback = allows_loopback;
    scoped_fd fd = memfd_create("body", MFD_CLOEXEC);
    uint64_t bytes;
    struct err err = {0};
    assert_false(fetch_url(str_from(url), fd, &policy, NULL, NULL, &bytes, &err));
    return arena_printf(a, "%s: %s", err_code(&err), err.detail);
}

/* No oracle for an internal DNS: `nobody` has no address, `secret` that of this machine. */
static void
names_that_lead_nowhere_and_inside_are_told_alike(void **state)
{
    (void)state;
    scoped_arena a = {0};
    struct str nobody = refusal(&a, "http://nobody.invalid/x.csv", false);
    struct str inside = refusal(&a, "http://secret.example/x.csv", false);
    assert_true(str_starts(nobody, STR("unreachable: ")));
    assert_int_equal(nobody.n, inside.n);
    ptrdiff_t at = str_find(nobody, STR("nobody.invalid"));
    assert_true(at > 0);
    assert_memory_equal(nobody.p, inside.p, (size_t)at);
    assert_string_equal(nobody.p + at + 14, inside.p + at + 14);
    assert_null(strstr(inside.p, "127."));
}

static void
messages_have_no_query(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const char *const PATHS[] = {
        "/404?s3cret",        "/to-self?s3cret", "/to-secret-404", "/to-secret-file",
        "/to-secret-nowhere", "/cut?s3cret",     "/silent?s3cret"};
    for (size_t i = 0; i < COUNT_OF(PATHS); i++)
        assert_null(strstr(refusal(&a, url_of(&a, PATHS[i]).p, true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "http://10.0.0.1/?s3cret", true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "http://nobody.invalid/?s3cret", true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "ftp://example.org/?s3cret", true).p, "s3cret"));
    assert_null(strstr(refusal(&a, "http://exa mple.org/?s3cret", true).p, "s3cret"));
}

static void
proxy_of_the_environment_is_not_used(void **state)
{
    (void)state;
    setenv("http_proxy", "http://10.1.2.3:3128", 1);
    setenv("ALL_PROXY", "http://10.1.2.3:3128", 1);
    assert_fetched("/ok", "a,b\n1,2\n");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
}

static bool
stop_at_once(void *context, uint64_t bytes_done, uint64_t bytes_total, struct err *err)
{
    (void)bytes_done, (void)bytes_total, (void)err;
    ++*(int *)context;
    return false;
}

static void
caller_can_cancel(void **state)
{
    (void)state;
    scoped_arena a = {0};
    scoped_fd fd = memfd_create("body", MFD_CLOEXEC);
    uint64_t bytes = 77;
    int calls = 0;
    struct err err = {0};
    assert_false(
        fetch_url(url_of(&a, "/silent"), fd, &POLICY, stop_at_once, &calls, &bytes, &err));
    assert_string_equal(err_code(&err), "cancelled");
    assert_int_equal(calls, 1);
    assert_int_equal(bytes, 77);
}

static void
failing_write_keeps_its_reason(void **state)
{
    (void)state;
    scoped_arena a = {0};
    scoped_fd fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    uint64_t bytes;
    struct err err = {0};
    assert_false(fetch_url(url_of(&a, "/ok"), fd, &POLICY, NULL, NULL, &bytes, &err));
    assert_int_equal(err.kind, ERR_DISK_FULL);
}

static void
assert_refused_unseen(struct arena *a, struct str url)
{
    const uint16_t ports[] = {80, 443, ntohs(server.port)};
    struct fetch_policy policy = POLICY;
    policy.allows_loopback = false;
    policy.ports = ports; /* of the server too: not the port is what refuses here */
    policy.port_count = COUNT_OF(ports);
    struct str code = fetched(a, url, &policy);
    if (!str_eq(code, STR("bad_url")) && !str_eq(code, STR("port_not_allowed")) &&
        !str_eq(code, STR("address_not_allowed")) && !str_eq(code, STR("unreachable")))
        fail_msg("%.*s: %s", (int)url.n, url.p, code.p);
    if (server.connects > 0 || server.connections > 0)
        fail_msg("%.*s: connected", (int)url.n, url.p);
}

static void
loopback_is_refused_in_every_spelling(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const char *const HOSTS[] = {
        "127.0.0.1",
        "localhost",
        "127.1",
        "127.0.1",
        "0",
        "0.0.0.0",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "localhost.",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[::127.0.0.1]",
        "[fd00:ec2::254]",
        "①②⑦.⓪.⓪.①",
        "%31%32%37.0.0.1",
        "rebind.example",
        "169.254.169.254",
        "2852039166",
        "100.100.100.200",
    };
    server.connections = 0;
    server.connects = 0;
    for (size_t i = 0; i < COUNT_OF(HOSTS); i++) {
        assert_refused_unseen(&a, arena_printf(&a, "http://%s/", HOSTS[i]));
        assert_refused_unseen(
            &a, arena_printf(&a, "https://%s:%d/ok", HOSTS[i], ntohs(server.port)));
    }
    /* The canary lives: what is allowed is seen by it. */
    assert_string_equal(fetched(&a, STR("http://rebind.example/ok"), &POLICY).p, "a,b\n1,2\n");
    assert_int_equal(server.connects, 1);
    assert_int_equal(server.connections, 1);
}

static void
only_the_ports_of_the_web_and_other_machines_are_fetched_from(void **state)
{
    (void)state;
    scoped_arena a = {0};
    static const struct {
        const char *url, *result;
        int connects;
    } CASES[] = {
        {"http://web.example/ok", "a,b\n1,2\n", 1},
        {"http://web.example:8080/ok", "port_not_allowed", 0},
        {"http://web.example/to-port", "port_not_allowed", 1},
        {"http://own.example/ok", "unreachable", 0},
        {"http://" OWN_ADDRESS "/ok", "address_not_allowed", 0},
        {"http://web.example/to-own", "unreachable", 1},
    };
    struct fetch_policy policy = POLICY;
    policy.allows_loopback = false;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        server.connects = 0;
        assert_string_equal(fetched(&a, str_from(CASES[i].url), &policy).p, CASES[i].result);
        assert_int_equal(server.connects, CASES[i].connects);
    }
}

/* Every word of the fenced blocks that could be taken for a URL. */
static size_t
refuse_fenced_urls(struct str text)
{
    size_t count = 0;
    bool is_fenced = false;
    while (text.p) {
        struct str line = str_cut(&text, '\n');
        if (str_starts(line, STR("```")))
            is_fenced = !is_fenced;
        for (struct str rest = line; is_fenced && rest.p;) {
            struct str word = str_cut(&rest, ' ');
            ptrdiff_t at = str_find(word, STR("://"));
            if (at < 0)
                continue;
            scoped_arena a = {0};
            assert_refused_unseen(&a, word);
            /* Where it is embedded ("ssrf.php?url=http://..."), also the URL by itself. */
            while (at > 0 && ((word.p[at - 1] | 0x20) >= 'a' && (word.p[at - 1] | 0x20) <= 'z'))
                at--;
            assert_refused_unseen(&a, str_skip(word, (size_t)at));
            count++;
        }
    }
    return count;
}

static void
corpus_of_payloads_is_refused_unseen(void **state)
{
    (void)state;
    const char *shared = getenv("PLAYMETER_SHARED");
    char path[512];
    snprintf(path, sizeof(path), "%s/corpora/ssrf-payloads/data",
             shared ? shared : "../shared");
    DIR *dir = opendir(path);
    if (!dir) {
        fprintf(stderr, "skipped: corpus absent: ssrf-payloads\n");
        skip();
    }
    server.connections = 0;
    server.connects = 0;
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!str_ends(str_from(entry->d_name), STR(".md")))
            continue;
        scoped_buf text;
        buf_init(&text, 16 * MIB);
        struct err err = {0};
        if (!fs_read_file(&text, dirfd(dir), entry->d_name, &err))
            fail_msg("%s", err.detail);
        count += refuse_fenced_urls(buf_str(&text));
    }
    closedir(dir);
    assert_true(count > 100);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(body_is_written_however_it_is_framed),
        cmocka_unit_test(cut_transfer_is_noticed),
        cmocka_unit_test(size_is_bounded_with_and_without_length),
        cmocka_unit_test(slow_and_silent_servers_are_given_up),
        cmocka_unit_test(only_a_whole_file_is_a_success),
        cmocka_unit_test(redirects_are_followed_and_each_is_checked),
        cmocka_unit_test(names_that_lead_nowhere_and_inside_are_told_alike),
        cmocka_unit_test(messages_have_no_query),
        cmocka_unit_test(proxy_of_the_environment_is_not_used),
        cmocka_unit_test(caller_can_cancel),
        cmocka_unit_test(failing_write_keeps_its_reason),
        cmocka_unit_test(loopback_is_refused_in_every_spelling),
        cmocka_unit_test(only_the_ports_of_the_web_and_other_machines_are_fetched_from),
        cmocka_unit_test(corpus_of_payloads_is_refused_unseen),
    };
    return cmocka_run_group_tests(tests, start_server, NULL);
}
