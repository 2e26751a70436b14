/* Messages of the writer's socket: whatever arrives is cut, read or refused, within its bounds;
 * what was read and is written again is the same message; so with the table of each
 * operation. */
#include "fuzz.h"

#include "process/operations.h"
#include "writer/message.h"

#include <stdlib.h>

struct item {
    int64_t number;
    char text[8];
};
struct sheet {
    struct item *items;
    size_t count;
    bool is_last;
};
struct book {
    struct str title;
    unsigned edition;
    struct sheet *sheets;
    size_t count;
};
static const struct codec ITEM =
    CODEC(struct item, CODEC_FIELD(struct item, number), CODEC_FIELD(struct item, text));
static const struct codec SHEET =
    CODEC(struct sheet, CODEC_FIELD_LIST(struct sheet, items, count, 5, &ITEM),
          CODEC_FIELD(struct sheet, is_last));
static const struct codec BOOK =
    CODEC(struct book, CODEC_FIELD(struct book, title), CODEC_FIELD(struct book, edition),
          CODEC_FIELD_LIST(struct book, sheets, count, 3, &SHEET));

static void
check_codec(struct arena *a, const struct codec *codec, struct str bytes)
{
    struct err err = {0};
    arena_reset(a);
    const void *in = codec_read(a, codec, bytes, &err);
    if (!in) {
        assert(err.kind == ERR_INTERNAL && err.detail[0]);
        return;
    }
    scoped_buf again;
    buf_init(&again, bytes.n);
    codec_add(&again, codec, in);
    assert(!again.is_full && str_eq(buf_str(&again), bytes));
}

/* Whatever arrives may be meant for any operation. */
static void
check_operations(struct arena *a, struct str bytes)
{
    check_codec(a, &BOOK, bytes);
    for (size_t i = 0; i < OPERATIONS_COUNT; i++)
        for (const struct operation *o = OPERATIONS[i]; o->name; o++) {
            check_codec(a, o->argument, bytes);
            check_codec(a, o->reply, bytes);
        }
}

static void
check_request(struct arena *a, struct str body)
{
    struct message_request request, again;
    struct err err;
    if (!message_read_request(body, &request, &err))
        return;
    check_operations(a, request.request);
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
fuzz(struct arena *a, struct str input)
{
    struct str rest = input, body;
    struct err err;
    struct message_reply reply;
    check_operations(a, rest);
    while (message_cut(&rest, &body, &err) == 1) {
        assert(body.n > 0 && body.n <= MESSAGE_BYTES_MAX);
        check_request(a, body);
        if (message_read_reply(body, &reply, &err))
            assert(reply.outcome >= MESSAGE_DONE && reply.outcome <= MESSAGE_MOVED);
    }
}
