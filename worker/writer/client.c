/* The client: remote over a unix socket, or local.
 *
 * What makes a handover lossless is knowing whether a request can have been run:
 *
 *   send fails (EPIPE)             the writer shut its receiving side before the whole frame
 *                                  had arrived: not run, so it is sent again
 *   answer `moved`                 received, not run: sent again
 *   broken or silent after that    may have been run: unknown_outcome, never sent again
 */
#include "writer/client.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "store/slots.h"
#include "writer/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A writer answers within this time even while it is restarted or handed over. */
#define CALL_TIMEOUT_US UINT64_C(10000000)
/* A burst of calls takes a healthy writer a commit or two, on a slow disk too; after this long
 * it is stalled, and a process that waits for a slot is as unavailable for reads as one that
 * has one.  So a process that waited in vain does not wait again for a while. */
#define SLOT_PATIENCE_US UINT64_C(250000)
#define SLOT_IMPATIENCE_US UINT64_C(5000000)
/* Less than a commit takes: all slots of a pool become free together, and a process that sleeps
 * longer finds them taken again by the callers that were just answered. */
#define SLOT_RETRY_US 200

struct writer {
    struct sockaddr_un address; /* remote */
    int fd;                     /* -1: not connected */
    struct buf out, in;
    struct arena arena;  /* of the last reply */
    struct slots slots;  /* limits the calls under way in the caller's pool */
    uint64_t in_vain_us; /* when a wait for a slot last failed; 0: the last one succeeded */
    struct db *db;       /* local; NULL: remote */
    const struct operation *const *table;
    size_t table_count;
};

static struct writer *
new_writer(void)
{
    struct writer *w = mem_new(struct writer);
    w->fd = w->slots.fd = -1;
    buf_init(&w->out, MESSAGE_BYTES_MAX + MESSAGE_HEADER_BYTES);
    buf_init(&w->in, MESSAGE_BYTES_MAX + MESSAGE_HEADER_BYTES);
    return w;
}

struct writer *
writer_open(const char *socket_path)
{
    struct writer *w = new_writer();
    size_t n = strlen(socket_path);
    w->address.sun_family = AF_UNIX;
    /* A path that is too long leaves the address empty, and each call reports it. */
    if (n < sizeof(w->address.sun_path))
        memcpy(w->address.sun_path, socket_path, n);
    return w;
}

bool
writer_share(struct writer *w, const char *slots_path, unsigned count, struct err *err)
{
    return slots_open(slots_path, count, &w->slots, err);
}

struct writer *
writer_open_local(struct db *db, const struct operation *const *table, size_t count)
{
    struct writer *w = new_writer();
    w->db = db;
    w->table = table;
    w->table_count = count;
    return w;
}

void
writer_close(struct writer **w)
{
    if (!*w)
        return;
    fs_close(&(*w)->fd);
    slots_close(&(*w)->slots);
    buf_free(&(*w)->out);
    buf_free(&(*w)->in);
    arena_free(&(*w)->arena);
    free(*w);
    *w = NULL;
}

const struct operation *
writer_operation_find(const struct operation *const *table, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        for (const struct operation *o = table[i]; o->name; o++)
            if (str_eq(str_from(o->name), name))
                return o;
    return NULL;
}

bool
writer_operation_run(const struct operation *operation, struct arena *a, struct db *db,
                     struct str request, struct buf *reply, struct err *err)
{
    const struct codec *codec = operation->reply;
    const void *argument = codec_read(a, operation->argument, request, err);
    void *answer = codec ? arena_alloc(a, codec->bytes) : NULL;
    if (!argument || !operation->run(a, db, argument, answer, err))
        return false;
    codec_add(reply, codec, answer);
    return true;
}

static bool
call_local(struct writer *w, const char *name, struct str request, struct str *reply,
           struct err *err)
{
    const struct operation *o = writer_operation_find(w->table, w->table_count, str_from(name));
    assert(o);
    scoped_arena a = {0};
    scoped_tx tx = {0};
    buf_clear(&w->in);
    if (!db_begin(w->db, &tx, err) ||
        !writer_operation_run(o, &a, w->db, request, &w->in, err) || !db_commit(&tx, err))
        return false;
    *reply = buf_str(&w->in);
    return true;
}

static bool
connect_writer(struct writer *w, struct err *err)
{
    if (!w->address.sun_path[0])
        return err_set(err, ERR_INTERNAL, "the path of the writer's socket has over %zu bytes",
                       sizeof(w->address.sun_path) - 1);
    w->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A timeout on the socket bounds both directions, without the extra system call of poll. */
    struct timeval timeout = {.tv_sec = CALL_TIMEOUT_US / 1000000};
    if (w->fd < 0 || setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) ||
        setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)))
        return err_set_errno(err, "a socket for the writer");
    if (connect(w->fd, (const struct sockaddr *)&w->address, sizeof(w->address)) == 0)
        return true;
    int saved = errno;
    fs_close(&w->fd);
    return err_set(err, ERR_BUSY, "the writer is away: %s", strerror(saved));
}

/* 1 sent, 0 the writer closed before it had the whole frame, -1 error. */
static int
send_request(struct writer *w, struct err *err)
{
    struct str rest = buf_str(&w->out);
    while (rest.n) {
        ssize_t n = send(w->fd, rest.p, rest.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return 0;
        if (n < 0) {
            err_set(err, ERR_BUSY, "sending to the writer: %s", strerror(errno));
            return -1;
        }
        rest = str_skip(rest, (size_t)n);
    }
    return 1;
}

static bool
receive_reply(struct writer *w, const char *operation, struct message_reply *out,
              struct err *err)
{
    buf_clear(&w->in);
    for (;;) {
        struct str bytes = buf_str(&w->in), body;
        int got = message_cut(&bytes, &body, err);
        if (got != 0)
            return got > 0 && message_read_reply(body, out, err);
        char chunk[16 * KIB];
        ssize_t n = recv(w->fd, chunk, sizeof(chunk), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_code(
                err, ERR_BUSY, "unknown_outcome",
                "the writer took %s and did not answer: %s; it may have been stored", operation,
                n == 0            ? "it hung up"
                : errno == EAGAIN ? "it takes too long"
                                  : strerror(errno));
        buf_add(&w->in, (struct str){chunk, (size_t)n});
    }
}

/* 1 answered, 0 to be sent again, -1 error. */
static int
try_call(struct writer *w, const char *operation, struct message_reply *out, struct err *err)
{
    if (w->fd < 0 && !connect_writer(w, err))
        return -1;
    int sent = send_request(w, err);
    bool ok = sent == 1 && receive_reply(w, operation, out, err);
    if (ok && out->outcome != MESSAGE_MOVED)
        return 1;
    /* Closed, because a late reply would be taken for that of the next call. */
    fs_close(&w->fd);
    return sent == 0 || ok ? 0 : -1;
}

static bool
call_in_slot(struct writer *w, const char *operation, struct str request, struct str *reply,
             struct err *err)
{
    uint64_t deadline_us = clock_steady_us() + CALL_TIMEOUT_US;
    buf_clear(&w->out);
    if (!message_add_request(&w->out, operation, request, err))
        return false;
    struct message_reply answer;
    int got;
    while ((got = try_call(w, operation, &answer, err)) == 0)
        if (clock_steady_us() >= deadline_us)
            return err_set(err, ERR_BUSY, "the writer has been moving for too long");
    if (got < 0)
        return false;
    if (answer.outcome == MESSAGE_REFUSED) {
        *err = answer.refusal;
        return false;
    }
    *reply = answer.reply;
    return true;
}

/* Refuses before anything is sent, so that the client of this 503 knows that nothing is
 * stored. */
static bool
take_slot(struct writer *w, int *slot, struct err *err)
{
    uint64_t now_us = clock_steady_us();
    bool is_patient = !w->in_vain_us || now_us - w->in_vain_us > SLOT_IMPATIENCE_US;
    uint64_t deadline_us = now_us + SLOT_PATIENCE_US;
    while ((*slot = slots_take(&w->slots)) < 0) {
        if (!is_patient || (now_us = clock_steady_us()) >= deadline_us) {
            if (is_patient)
                w->in_vain_us = now_us;
            return err_set(err, ERR_BUSY,
                           "%u changes wait for the writer already; nothing was stored",
                           w->slots.count);
        }
        clock_sleep_us(SLOT_RETRY_US);
    }
    w->in_vain_us = 0;
    return true;
}

static bool
call_remote(struct writer *w, const char *operation, struct str request, struct str *reply,
            struct err *err)
{
    int slot = -1;
    if (w->slots.fd >= 0 && !take_slot(w, &slot, err))
        return false;
    bool ok = call_in_slot(w, operation, request, reply, err);
    slots_give(&w->slots, slot);
    return ok;
}

bool
writer_call(struct writer *w, const struct operation *operation, const void *argument,
            void *reply, struct err *err)
{
    scoped_buf request;
    buf_init(&request, MESSAGE_BYTES_MAX);
    codec_add(&request, operation->argument, argument);
    if (request.is_full)
        return err_set(err, ERR_TOO_LARGE, "operation %s has over %zu bytes of arguments",
                       operation->name, MESSAGE_BYTES_MAX);
    struct str bytes;
    if (!(w->db ? call_local : call_remote)(w, operation->name, buf_str(&request), &bytes, err))
        return false;
    arena_reset(&w->arena);
    const void *answer = codec_read(&w->arena, operation->reply, bytes, err);
    if (answer && operation->reply)
        memcpy(reply, answer, operation->reply->bytes);
    return answer != NULL;
}
