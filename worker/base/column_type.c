#include "base/column_type.h"

static const struct str NAMES[] = {
#define X(type, word) [type] = STR_INIT(word),
    COLUMN_TYPES(X)
#undef X
};

const char *
column_type_name(enum column_type type)
{
    return NAMES[type].p;
}

bool
column_type_parse(struct str word, enum column_type *out)
{
    for (size_t i = 0; i < COUNT_OF(NAMES); i++)
        if (str_eq(word, NAMES[i])) {
            *out = (enum column_type)i;
            return true;
        }
    return false;
}

bool
column_type_is_textual(enum column_type type)
{
    return type == COLUMN_TEXT || type == COLUMN_LIST;
}
