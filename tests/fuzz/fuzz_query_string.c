/* A query string that is decoded is decoded once and for all: encoding what came out and
 * decoding it again gives the same names and values. */
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena arena = {0};
    struct err err = {0};
    const struct http_param *first, *second;
    size_t first_count, second_count;
    struct str text = {(const char *)data, size};
    if (!request_decode_query(&arena, text, &first, &first_count, &err)) {
        assert(err.kind == ERR_MALFORMED && err.detail[0]);
        return 0;
    }
    scoped_buf encoded;
    buf_init(&encoded, 16 * MIB);
    encode(&encoded, first, first_count);
    bool is_decoded =
        request_decode_query(&arena, buf_str(&encoded), &second, &second_count, &err);
    assert(is_decoded && first_count == second_count);
    for (size_t i = 0; i < first_count; i++)
        assert(str_eq(first[i].name, second[i].name) &&
               str_eq(first[i].value, second[i].value));
    return 0;
}
