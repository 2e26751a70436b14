/* Three things about libfcgi that are not in its manual:
 *   - at the end of a request it waits until nginx has closed the connection, unless the
 *     request was detached;
 *   - closing a unix socket that holds unread bytes resets the connection, so a body is read to
 *     its end even when it is not used;
 *   - it has no timeouts: the one for writing is set on its socket here. */
#include "http/serve.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/num.h"
#include "http/router.h"
#include "http/status.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

/* Bounds how long a worker under load takes to stop; other workers accept the rest. */
#define LAST_ACCEPTS 16
/* A smaller response, as most are, fits into the empty buffer of a socket, so writing it cannot
 * stall.  Streams come in larger chunks. */
#define STALL_BYTES_MIN (16 * KIB)
/* The memory kept for the next body: most are small, and there are many workers. */
#define KEPT_BODY_BYTES_MAX (128 * KIB)

bool
serve_init(struct err *err)
{
    return FCGX_Init() == 0 || err_set(err, ERR_INTERNAL, "libfcgi cannot be initialised");
}

static bool
write_out(void *context, struct str bytes)
{
    FCGX_Request *fcgi = context;
    struct timeval timeout = {.tv_sec = SERVE_WRITE_STALL_MS / 1000};
    if (bytes.n > STALL_BYTES_MIN)
        /* If it cannot be set, RESPONSE_STREAM_MS_MAX still bounds a stream. */
        (void)setsockopt(fcgi->ipcFd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    while (bytes.n) {
        int n = (int)MIN(bytes.n, (size_t)INT_MAX);
        if (FCGX_PutStr(bytes.p, n, fcgi->out) != n)
            return false;
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

/* Reads the body to its end and keeps as much as the buffer may hold; returns its length. */
static uint64_t
read_to_end(FCGX_Request *fcgi, struct buf *body)
{
    char chunk[16 * KIB];
    uint64_t bytes = 0;
    for (;;) {
        int n = FCGX_GetStr(chunk, sizeof(chunk), fcgi->in);
        if (n <= 0)
            return bytes;
        bytes += (uint64_t)n;
        buf_add(body, (struct str){chunk, (size_t)n});
    }
}

/* CONTENT_LENGTH is the client's claim; the bytes that arrived decide. */
static bool
check_length(const struct request *request, uint64_t bytes, struct err *err)
{
    uint64_t claimed = 0;
    struct str text = request->header.content_length;
    if (text.n && !num_parse_u64(text, &claimed))
        return err_set(err, ERR_MALFORMED, "Content-Length is '%" STR_FMT "', not a number",
                       STR_ARG(text));
    if (bytes > SERVE_BODY_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "the body is at most %zu bytes, got %zu",
                       (size_t)SERVE_BODY_BYTES_MAX, (size_t)bytes);
    /* A body in a file is not sent over the socket; its length is still in the header. */
    if (bytes == claimed || (bytes == 0 && request->body_file[0]))
        return true;
    return err_set_code(err, ERR_MALFORMED, "short_body",
                        "the body has %zu bytes where Content-Length says %zu", (size_t)bytes,
                        (size_t)claimed);
}

/* Only parameters of the route are logged: any other name may be the client's text, a secret.
 */
static bool
is_declared(const struct route *route, struct str name)
{
    for (size_t i = 0; route && i < route->param_count; i++)
        if (str_eq(str_from(route->params[i].name), name))
            return true;
    return false;
}

static void
log_request(const struct request *request, const struct response *response,
            const struct err *err)
{
    /* Polled by the supervisor until the service is ready, so it is not logged. */
    if (str_eq(request->address, STR("unix:")) && str_eq(request->path, STR("/readyz")))
        return;
    uint64_t spent_us = clock_steady_us() - request->started_us;
    struct log_line line =
        log_begin(err->kind == ERR_INTERNAL ? LOG_ERROR : LOG_INFO, "request");
    log_str(&line, "request_id", request->id);
    log_str(&line, "client", request->client);
    log_str(&line, "method", request->method_text);
    log_str(&line, "path", str_slice(request->path, 0, 512));
    log_int(&line, "status", response->status);
    log_int(&line, "us", (int64_t)spent_us);
    log_int(&line, "bytes", (int64_t)response->body_bytes);
    /* The detail of a client's mistake shows what it sent, a password where the username
     * belongs or a link with its query: the client is told, the log is not. */
    if (err->kind != ERR_NONE)
        log_str(&line, "code", str_from(err_code(err)));
    if (http_status(err) >= 500)
        log_str(&line, "detail", str_from(err->detail));
    else if (is_declared(request->route, str_from(err->name)))
        log_str(&line, "parameter", str_from(err->name));
    log_end(&line);
}

/* Ends a response so that nginx aborts the client's connection too, instead of ending the
 * response as if it were whole: sends bytes that are not a FastCGI record where one is due. */
static void
cut(FCGX_Request *fcgi)
{
    static const char NO_RECORD[8] = {0};
    ssize_t unused =
        send(fcgi->ipcFd, NO_RECORD, sizeof(NO_RECORD), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)unused; /* a failure means that nginx has gone already */
    FCGX_Free(fcgi, 1);
}

static void
serve_one(FCGX_Request *fcgi, struct arena *arena, struct buf *body, serve_handle_fn *handle,
          void *context)
{
    struct request request;
    struct response response;
    struct err err = {0};
    if (body->cap > KEPT_BODY_BYTES_MAX) {
        buf_free(body);
        buf_init(body, SERVE_BODY_BYTES_MAX);
    }
    buf_clear(body);
    /* nginx sets the flag only so that it can tell the end of a response from a worker that
     * died; a connection that was really kept open would occupy this worker. */
    fcgi->keepConnection = 0;
    bool is_read = request_parse(arena, fcgi->envp, &request, &err);
    uint64_t bytes = read_to_end(fcgi, body);
    FCGX_Detach(fcgi);
    if (is_read && check_length(&request, bytes, &err))
        request.body = buf_str(body);
    response_init(&response, &request, (struct http_sink){write_out, fcgi});
    handle(context, &request, &response, &err);
    if (!response.is_broken)
        response_finish(&response);
    if (response.is_broken)
        cut(fcgi);
    else
        FCGX_Finish_r(fcgi);
    log_request(&request, &response, &err);
    response_free(&response);
}

/* The socket is shared by the pool: when another worker is faster, accept must not block. */
static bool
prepare_socket(int listen_fd, int *epoll_fd, struct err *err)
{
    /* Exclusive: one connection wakes one worker, not the pool. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    int flags = fcntl(listen_fd, F_GETFL);
    *epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return (flags >= 0 && fcntl(listen_fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
            *epoll_fd >= 0 && epoll_ctl(*epoll_fd, EPOLL_CTL_ADD, listen_fd, &event) == 0) ||
           err_set_errno(err, "watching the listening socket");
}

/* 1 a request was served, 0 there was none, -1 error. */
static int
accept_and_serve(FCGX_Request *fcgi, struct arena *arena, struct buf *body,
                 serve_handle_fn *handle, void *context, struct err *err)
{
    int status = FCGX_Accept_r(fcgi);
    if (status == -EAGAIN || status == -EINTR || status == -ECONNABORTED)
        return 0;
    if (status < 0) {
        err_set_errno(err, "accept");
        return -1;
    }
    serve_one(fcgi, arena, body, handle, context);
    arena_reset(arena);
    return 1;
}

bool
serve_run(int listen_fd, serve_handle_fn *handle, void *context, bool (*is_stopping)(void),
          struct err *err)
{
    FCGX_Request fcgi;
    sigset_t term, before;
    scoped_fd epoll_fd = -1;
    if (FCGX_InitRequest(&fcgi, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
        return err_set(err, ERR_INTERNAL, "libfcgi refuses the socket");
    if (!prepare_socket(listen_fd, &epoll_fd, err))
        return false;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &before);
    scoped_arena arena = {0};
    scoped_buf body;
    buf_init(&body, SERVE_BODY_BYTES_MAX);
    int got = 0;
    while (got >= 0 && !is_stopping()) {
        struct epoll_event unused;
        /* SIGTERM arrives only in here.  Anywhere else it would interrupt libfcgi's reads,
         * which takes that for a broken connection: a request that nginx then answers with
         * 502. */
        (void)epoll_pwait(epoll_fd, &unused, 1, -1, &before);
        got = accept_and_serve(&fcgi, &arena, &body, handle, context, err);
    }
    /* A connection may have woken only this worker just before the signal came. */
    for (int i = 0; i < LAST_ACCEPTS && got > 0; i++)
        got = accept_and_serve(&fcgi, &arena, &body, handle, context, err);
    sigprocmask(SIG_SETMASK, &before, NULL);
    FCGX_Free(&fcgi, 1);
    return got >= 0;
}
