/* One typed cell, on its way from a CSV into rows.db and the columns file. */
#pragma once

#include "base/column_type.h"

struct value {
    bool is_null;
    union {
        int64_t i; /* integral types */
        double d;  /* real */
    };
    struct str text;            /* text: the value; list: the raw text */
    const struct str *elements; /* list */
    size_t element_count;
};
