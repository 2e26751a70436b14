/* What json_read accepts, json_add_value prints so that it reads back as the same values, and
 * printing those gives the same bytes. */
#include "json/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_arena arena = {0};
    struct err err = {0};
    const struct json_value *first, *second;
    if (!json_read(&arena, (struct str){(const char *)data, size}, &first, &err))
        return 0;
    scoped_buf printed, again;
    buf_init(&printed, 16 * MIB);
    buf_init(&again, 16 * MIB);
    json_add_value(&printed, first);
    bool is_read = json_read(&arena, buf_str(&printed), &second, &err);
    assert(is_read);
    json_add_value(&again, second);
    assert(str_eq(buf_str(&printed), buf_str(&again)));
    return 0;
}
