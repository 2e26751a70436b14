#include "writer/connection.h"

#include "base/fs.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define READ_BYTES (16 * KIB)
/* An idle connection frees buffers larger than this: most messages are far smaller. */
#define IDLE_BYTES_MAX (4 * KIB)
#define MOVE_TIMEOUT_S 1

struct writer_connection *
writer_connection_new(int fd)
{
    struct writer_connection *c = mem_new(struct writer_connection);
    c->fd = fd;
    buf_init(&c->in, MESSAGE_HEADER_BYTES + MESSAGE_BYTES_MAX + READ_BYTES);
    buf_init(&c->out, SIZE_MAX);
    return c;
}

void
writer_connection_close(struct writer_connection **c)
{
    fs_close(&(*c)->fd);
    buf_free(&(*c)->in);
    buf_free(&(*c)->out);
    free(*c);
    *c = NULL;
}

/* A frame that is not a request ends the connection, since what follows it cannot be trusted.
 */
static void
find_request(struct writer_connection *c)
{
    struct str bytes = buf_str(&c->in), body;
    struct err err;
    int got = message_cut(&bytes, &body, &err);
    if (got < 0 || (got > 0 && !message_read_request(body, &c->request, &err)))
        c->is_broken = true;
    else
        c->has_request = got > 0;
}

void
writer_connection_read(struct writer_connection *c)
{
    while (!c->has_request && !c->is_broken) {
        char chunk[READ_BYTES];
        ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            c->is_broken = true;
            return;
        }
        buf_add(&c->in, (struct str){chunk, (size_t)n});
        find_request(c);
    }
}

static void
empty(struct buf *b)
{
    if (b->cap > IDLE_BYTES_MAX)
        buf_free(b);
    buf_clear(b);
}

void
writer_connection_flush(struct writer_connection *c)
{
    while (c->out_sent < c->out.n) {
        struct str rest = str_skip(buf_str(&c->out), c->out_sent);
        ssize_t n = send(c->fd, rest.p, rest.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0) {
            c->is_broken = true;
            return;
        }
        c->out_sent += (size_t)n;
    }
    empty(&c->out);
    c->out_sent = 0;
}

void
writer_connection_next(struct writer_connection *c)
{
    struct str rest = buf_str(&c->in), body;
    struct err err;
    int got = message_cut(&rest, &body, &err);
    assert(c->has_request && got == 1);
    c->has_request = false;
    if (rest.n == 0) {
        empty(&c->in);
        return;
    }
    memmove(c->in.p, rest.p, rest.n);
    c->in.n = rest.n;
    find_request(c);
}

void
writer_connection_move(struct writer_connection *c)
{
    /* First: a send after this fails at the client, so no request arrives unseen. */
    shutdown(c->fd, SHUT_RD);
    do {
        if (c->has_request) {
            message_add_moved(&c->out);
            writer_connection_next(c);
        }
        writer_connection_read(c);
    } while (c->has_request);
    struct timeval timeout = {.tv_sec = MOVE_TIMEOUT_S};
    c->is_broken = fcntl(c->fd, F_SETFL, 0) ||
                   setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (!c->is_broken)
        writer_connection_flush(c);
}
