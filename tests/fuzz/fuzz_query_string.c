/* A query string that is decoded is decoded once and for all: encoding what came out and
 * decoding it again gives the same names and values. */
#include "fuzz.h"

#include "http/request.h"

static void
encode(struct buf *out, const struct http_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_add_char(out, '&');
        request_encode(out, params[i].name);
        buf_add_char(out, '=');
        request_encode(out, params[i].value);
    }
}

static void
fuzz(struct arena *a, struct str input)
{
    struct err err = {0};
    const struct http_param *first, *second;
    size_t first_count, second_count;
    if (!request_decode_query(a, input, &first, &first_count, &err)) {
        assert(err.kind == ERR_MALFORMED && err.detail[0]);
        return;
    }
    scoped_buf encoded;
    buf_init(&encoded, 16 * MIB);
    encode(&encoded, first, first_count);
    bool is_decoded = request_decode_query(a, buf_str(&encoded), &second, &second_count, &err);
    assert(is_decoded && first_count == second_count);
    for (size_t i = 0; i < first_count; i++)
        assert(str_eq(first[i].name, second[i].name) &&
               str_eq(first[i].value, second[i].value));
}
