/* A frame is built in place: room for its length first, which is filled in at the end. */
#include "writer/message.h"

#include "writer/wire.h"

#include <stdio.h>

static size_t
begin_frame(struct buf *out)
{
    size_t at = out->n;
    buf_add(out, (struct str){"\0\0\0\0", MESSAGE_HEADER_BYTES});
    return at;
}

/* False, with the frame removed, when it is too long for the protocol or for the buf. */
static bool
end_frame(struct buf *out, size_t at)
{
    size_t n = out->n - at - MESSAGE_HEADER_BYTES;
    if (out->is_full || n > MESSAGE_BYTES_MAX) {
        out->n = at;
        out->is_full = false;
        return false;
    }
    for (size_t i = 0; i < MESSAGE_HEADER_BYTES; i++)
        out->p[at + i] = (char)(n >> (8 * i));
    return true;
}

bool
message_add_request(struct buf *out, const char *operation, struct str request, struct err *err)
{
    size_t at = begin_frame(out);
    wire_add_str(out, str_from(operation));
    wire_add_str(out, request);
    if (end_frame(out, at))
        return true;
    return err_set(err, ERR_TOO_LARGE, "operation %s has %zu bytes of arguments, at most %zu",
                   operation, request.n, MESSAGE_BYTES_MAX);
}

void
message_add_refused(struct buf *out, const struct err *why)
{
    size_t at = begin_frame(out);
    wire_add_u64(out, MESSAGE_REFUSED);
    wire_add_u64(out, why->kind);
    wire_add_str(out, str_from(why->code));
    wire_add_str(out, str_from(why->name));
    wire_add_str(out, str_from(why->detail));
    wire_add_u64(out, why->is_private);
    bool fits = end_frame(out, at);
    assert(fits);
}

void
message_add_done(struct buf *out, struct str reply)
{
    size_t at = begin_frame(out);
    wire_add_u64(out, MESSAGE_DONE);
    wire_add_str(out, reply);
    if (end_frame(out, at))
        return;
    struct err err;
    err_set_code(&err, ERR_INTERNAL, "unknown_outcome",
                 "it was stored, but its reply of %zu bytes is too long", reply.n);
    message_add_refused(out, &err);
}

void
message_add_moved(struct buf *out)
{
    size_t at = begin_frame(out);
    wire_add_u64(out, MESSAGE_MOVED);
    bool fits = end_frame(out, at);
    assert(fits);
}

int
message_cut(struct str *bytes, struct str *body, struct err *err)
{
    if (bytes->n < MESSAGE_HEADER_BYTES)
        return 0;
    size_t n = 0;
    for (size_t i = 0; i < MESSAGE_HEADER_BYTES; i++)
        n |= (size_t)(unsigned char)bytes->p[i] << (8 * i);
    if (n == 0 || n > MESSAGE_BYTES_MAX) {
        err_set(err, ERR_INTERNAL, "a message has %zu bytes, 1 to %zu are allowed", n,
                MESSAGE_BYTES_MAX);
        return -1;
    }
    if (bytes->n - MESSAGE_HEADER_BYTES < n)
        return 0;
    *body = str_slice(*bytes, MESSAGE_HEADER_BYTES, MESSAGE_HEADER_BYTES + n);
    *bytes = str_skip(*bytes, MESSAGE_HEADER_BYTES + n);
    return 1;
}

bool
message_read_request(struct str body, struct message_request *out, struct err *err)
{
    struct wire w = {.rest = body};
    /* Not in one initializer: C does not define in which order its parts are evaluated. */
    struct message_request request = {.operation = wire_str(&w)};
    request.request = wire_str(&w);
    if (!wire_end(&w, err))
        return false;
    *out = request;
    return true;
}

/* The other side is our own program, but an invalid kind would index a table. */
static bool
read_refusal(struct wire *w, struct err *out)
{
    uint64_t kind = wire_u64(w);
    struct str code = wire_str(w), name = wire_str(w), detail = wire_str(w);
    bool is_private = wire_u64(w) != 0;
    if (kind == ERR_NONE || kind > ERR_DISK_FULL)
        return false;
    err_set_name(out, (enum err_kind)kind, "", name, "%" STR_FMT, STR_ARG(detail));
    snprintf(out->code, sizeof(out->code), "%" STR_FMT, STR_ARG(code));
    out->is_private = is_private;
    return true;
}

bool
message_read_reply(struct str body, struct message_reply *out, struct err *err)
{
    struct wire w = {.rest = body};
    struct message_reply reply = {0};
    uint64_t outcome = wire_u64(&w);
    bool is_known = true;
    if (outcome == MESSAGE_DONE)
        reply.reply = wire_str(&w);
    else if (outcome == MESSAGE_REFUSED)
        is_known = read_refusal(&w, &reply.refusal);
    else
        is_known = outcome == MESSAGE_MOVED;
    if (!wire_end(&w, err))
        return false;
    if (!is_known)
        return err_set(err, ERR_INTERNAL, "the writer gave an answer of an unknown kind");
    reply.outcome = (enum message_outcome)outcome;
    *out = reply;
    return true;
}
