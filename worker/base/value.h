/* One typed cell, on its way from a CSV into a version, and what is known of a column of
 * them. */
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

/* What is known of a column once all of it was seen. */
struct column_summary {
    uint64_t null_count;
    uint64_t distinct_count; /* of values that are not null; text and list: of the raw text */
    bool has_range;          /* some value is not null; never set for textual columns */
    union {
        int64_t i;
        double d;
    } min, max;
};
