/* Messages of the writer's socket: whatever arrives is cut, read or refused, within its bounds;
 * what was read and is written again is the same message. */
#include "fuzz.h"

#include "writer/message.h"
#include "writer/wire.h"

#include <stdlib.h>

/* The arguments of every operation are read with these two, in some order. */
static void
read_fields(struct str bytes)
{
    struct wire w = {.rest = bytes};
    struct err err;
    size_t total = 0;
    for (size_t i = 0; i < 16; i++) {
        total += wire_str(&w).n;
        wire_u64(&w);
    }
    assert(total <= bytes.n);
    assert(!wire_end(&w, &err) || (!w.is_bad && w.rest.n == 0));
}

static void
check_request(struct str body)
{
    struct message_request request, again;
    struct err err;
    if (!message_read_request(body, &request, &err))
        return;
    read_fields(request.request);
    scoped_buf frame, name;
    buf_init(&frame, MESSAGE_BYTES_MAX + MESSAGE_HEADER_BYTES);
    buf_init(&name, MESSAGE_BYTES_MAX + 1);
    buf_add(&name, request.operation);
    buf_add_char(&name, '\0');
    if (str_find_char(request.operation, '\0') >= 0)
        return;
    bool fits = message_add_request(&frame, name.p, request.request, &err);
    struct str rest = buf_str(&frame), same;
    assert(fits && message_cut(&rest, &same, &err) == 1 && rest.n == 0);
    bool is_read = message_read_request(same, &again, &err);
    assert(is_read && str_eq(again.operation, request.operation));
    assert(str_eq(again.request, request.request) && str_eq(same, body));
}

static void
fuzz(struct arena *a UNUSED, struct str input)
{
    struct str rest = input, body;
    struct err err;
    struct message_reply reply;
    read_fields(rest);
    while (message_cut(&rest, &body, &err) == 1) {
        assert(body.n > 0 && body.n <= MESSAGE_BYTES_MAX);
        check_request(body);
        if (message_read_reply(body, &reply, &err))
            assert(reply.outcome >= MESSAGE_DONE && reply.outcome <= MESSAGE_MOVED);
    }
}
