/* One round:
 *
 *     wait --> accept, read whole requests --> one batch, one commit --> send replies
 *      ^                                                                    |
 *      +------------------------ checkpoint, when the log has grown <-------+
 *
 * While a commit is being written to disk, the next requests gather in the sockets.  That is
 * the only batching: there is no timer, and no request waits for others. */
#include "writer/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "writer/batch.h"
#include "writer/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Enough for two generations of all workers that can be configured, and below the usual limit
 * of 1,024 descriptors, at which accept would fail again and again.  More clients wait in the
 * backlog. */
#define CONNECTIONS_MAX 900
/* Requests beyond this are refused as busy: half of them would time out before they are run. */
#define WAITING_BYTES_MAX (64 * MIB)
#define EVENTS_MAX 256
/* Pages of 4 KiB.  A passive checkpoint copies and syncs them in a few milliseconds. */
#define CHECKPOINT_PAGES 1000
/* 64 MiB: a reader has kept the log from being reset for long; try to empty it now and then. */
#define TRUNCATE_PAGES 16384
#define TRUNCATE_EVERY_US UINT64_C(1000000)

struct loop {
    const struct writer_loop_options *options;
    int epoll;
    struct writer_connection *connections[CONNECTIONS_MAX];
    size_t connection_count;
    bool is_accepting; /* epoll watches listen_fd */
    bool is_stopping;
    bool is_eager; /* requests are waiting: poll without blocking */
    struct writer_connection *callers[CONNECTIONS_MAX]; /* of the tasks, by arrival */
    struct writer_task tasks[CONNECTIONS_MAX];
    size_t task_count;
    size_t waiting_bytes;
    int checkpointed_pages; /* pages in the log at the last checkpoint */
    uint64_t truncated_at_us;
};

static bool
watch(struct loop *loop, int operation, int fd, uint32_t events, void *tag, struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    if (epoll_ctl(loop->epoll, operation, fd, &event))
        return err_set_errno(err, "epoll_ctl");
    return true;
}

static void
accept_some(struct loop *loop)
{
    struct err err;
    int listen_fd = loop->options->listen_fd;
    while (loop->connection_count < CONNECTIONS_MAX) {
        int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct writer_connection *c = writer_connection_new(fd);
        if (watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, c, &err))
            loop->connections[loop->connection_count++] = c;
        else
            writer_connection_close(&c);
    }
    if (watch(loop, EPOLL_CTL_DEL, listen_fd, 0, NULL, &err))
        loop->is_accepting = false;
}

static void
enqueue(struct loop *loop, struct writer_connection *c)
{
    const struct operation *operation = writer_operation_find(
        loop->options->table, loop->options->table_count, c->request.operation);
    struct err err = {0};
    if (!operation)
        err_set(&err, ERR_INTERNAL, "there is no operation '%" STR_FMT "'",
                STR_ARG(c->request.operation));
    else if (loop->waiting_bytes + c->request.request.n > WAITING_BYTES_MAX)
        err_set(&err, ERR_BUSY, "%zu operations are waiting; try again", loop->task_count);
    if (err.kind != ERR_NONE) {
        message_add_refused(&c->out, &err);
        writer_connection_next(c);
        return;
    }
    c->is_queued = true;
    loop->waiting_bytes += c->request.request.n;
    loop->callers[loop->task_count] = c;
    loop->tasks[loop->task_count++] = (struct writer_task){
        .operation = operation, .request = c->request.request, .out = &c->out};
}

/* A connection has at most one request in the queue, and none while its last reply is unsent.
 */
static bool
is_ready(const struct writer_connection *c)
{
    return c->has_request && !c->is_queued && c->out.n == 0 && !c->is_broken;
}

/* Removes answered tasks from the queue; the others stay at its head. */
static void
run_batch(struct loop *loop)
{
    size_t count = loop->task_count, kept = 0;
    writer_batch_run(loop->options->db, loop->tasks, count);
    for (size_t i = 0; i < count; i++) {
        struct writer_connection *c = loop->callers[i];
        if (!loop->tasks[i].is_answered) {
            loop->callers[kept] = c;
            loop->tasks[kept++] = loop->tasks[i];
            continue;
        }
        loop->waiting_bytes -= loop->tasks[i].request.n;
        c->is_queued = false;
        writer_connection_next(c);
    }
    loop->task_count = kept;
}

/* Sends replies, then tells epoll what the connection waits for. */
static void
settle(struct loop *loop, struct writer_connection *c)
{
    struct err err;
    if (c->out.n > 0)
        writer_connection_flush(c);
    bool wants_output = c->out.n > 0;
    if (c->is_broken || wants_output == c->wants_output)
        return;
    c->wants_output = wants_output;
    if (!watch(loop, EPOLL_CTL_MOD, c->fd, wants_output ? EPOLLOUT : EPOLLIN, c, &err))
        c->is_broken = true;
}

/* A broken connection is kept while its request, which points into it, is in the queue. */
static void
settle_all(struct loop *loop)
{
    size_t kept = 0;
    loop->is_eager = false;
    for (size_t i = 0; i < loop->connection_count; i++) {
        struct writer_connection *c = loop->connections[i];
        settle(loop, c);
        if (c->is_broken && !c->is_queued) {
            writer_connection_close(&c);
            continue;
        }
        loop->is_eager = loop->is_eager || c->is_queued || is_ready(c);
        loop->connections[kept++] = c;
    }
    loop->connection_count = kept;
    struct err err;
    if (!loop->is_accepting && kept < CONNECTIONS_MAX)
        loop->is_accepting = watch(loop, EPOLL_CTL_ADD, loop->options->listen_fd, EPOLLIN,
                                   (void *)loop->options, &err);
}

static void
checkpoint(struct loop *loop)
{
    struct db *db = loop->options->db;
    struct err err;
    int pages = db_wal_pages(db);
    if (pages < loop->checkpointed_pages)
        loop->checkpointed_pages = 0; /* the log was restarted */
    if (pages - loop->checkpointed_pages < CHECKPOINT_PAGES)
        return;
    loop->checkpointed_pages = pages;
    if (!db_checkpoint(db, false, &err))
        log_message(LOG_WARN, "checkpoint_failed", "%s", err.detail);
    uint64_t now = clock_steady_us();
    if (pages < TRUNCATE_PAGES || now - loop->truncated_at_us < TRUNCATE_EVERY_US)
        return;
    loop->truncated_at_us = now;
    /* Busy means that a reader still uses the log: it is tried again later. */
    if (!db_checkpoint(db, true, &err) && err.kind != ERR_BUSY)
        log_message(LOG_WARN, "checkpoint_failed", "%s", err.detail);
}

static bool
take_events(struct loop *loop, struct err *err)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(loop->epoll, events, EVENTS_MAX, loop->is_eager ? 0 : -1);
    if (count < 0 && errno != EINTR)
        return err_set_errno(err, "epoll_wait");
    for (int i = 0; i < count; i++) {
        void *tag = events[i].data.ptr;
        struct writer_connection *c = tag;
        if (tag == loop) {
            loop->is_stopping = true;
        } else if (tag == loop->options) {
            accept_some(loop);
        } else {
            if (c->out.n > 0)
                writer_connection_flush(c);
            if (!c->has_request && c->out.n == 0)
                writer_connection_read(c);
        }
    }
    return true;
}

static bool
run_round(struct loop *loop, struct err *err)
{
    if (!take_events(loop, err))
        return false;
    if (loop->is_stopping)
        return true;
    for (size_t i = 0; i < loop->connection_count; i++)
        if (is_ready(loop->connections[i]))
            enqueue(loop, loop->connections[i]);
    if (loop->task_count > 0)
        run_batch(loop);
    settle_all(loop);
    /* After the replies: a caller that waits for a commit need not wait for a checkpoint. */
    checkpoint(loop);
    return true;
}

static bool
start(struct loop *loop, struct err *err)
{
    const struct writer_loop_options *o = loop->options;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    int flags = fcntl(o->listen_fd, F_GETFL);
    if (loop->epoll < 0 || flags < 0 || fcntl(o->listen_fd, F_SETFL, flags | O_NONBLOCK))
        return err_set_errno(err, "the writer's socket");
    loop->is_accepting = true;
    return watch(loop, EPOLL_CTL_ADD, o->stop_fd, EPOLLIN, loop, err) &&
           watch(loop, EPOLL_CTL_ADD, o->listen_fd, EPOLLIN, (void *)o, err);
}

bool
writer_loop_run(const struct writer_loop_options *options, struct err *err)
{
    struct loop *loop = mem_new(struct loop);
    loop->options = options;
    bool ok = start(loop, err);
    while (ok && !loop->is_stopping)
        ok = run_round(loop, err);
    for (size_t i = 0; i < loop->connection_count; i++) {
        writer_connection_move(loop->connections[i]);
        writer_connection_close(&loop->connections[i]);
    }
    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop);
    return ok;
}
