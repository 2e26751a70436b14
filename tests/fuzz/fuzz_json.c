/* What json_read accepts, json_add_value prints so that it reads back as the same values, and
 * printing those gives the same bytes. */
#include "fuzz.h"

#include "json/read.h"

static void
fuzz(struct arena *a, struct str input)
{
    struct err err = {0};
    const struct json_value *first, *second;
    if (!json_read(a, input, &first, &err))
        return;
    scoped_buf printed, again;
    buf_init(&printed, 16 * MIB);
    buf_init(&again, 16 * MIB);
    json_add_value(&printed, first);
    bool is_read = json_read(a, buf_str(&printed), &second, &err);
    assert(is_read);
    json_add_value(&again, second);
    assert(str_eq(buf_str(&printed), buf_str(&again)));
}
