/* See input.h. */
#include "reports/input.h"

const char *
input_name(enum input_kind kind)
{
    static const char *const NAMES[] = {
#define X(kind, name, columns) name,
        INPUTS(X)
#undef X
    };
    return NAMES[kind];
}
