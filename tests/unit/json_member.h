/* Text of the JSON that is tested, as it was written: a number keeps its digits. */
#pragma once

#include "temp_dir.h"

/* Of the first member of that name; a scalar without a comma in it. */
static inline struct str
json_member(struct str json, struct str name)
{
    scoped_arena a = {0};
    struct str key = arena_printf(&a, "\"%" STR_FMT "\":", STR_ARG(name));
    ptrdiff_t at = str_find(json, key);
    assert_true(at >= 0);
    struct str rest = str_skip(json, (size_t)at + key.n);
    size_t end = 0;
    while (rest.p[end] != ',' && rest.p[end] != '}')
        end++;
    return str_slice(rest, 0, end);
}
