/* What a column holds. */
#pragma once

#include "base/str.h"

/*   type              word in JSON, YAML and the options */
#define COLUMN_TYPES(X)                                                                        \
    X(COLUMN_INTEGER, "integer")   /* int64 */                                                 \
    X(COLUMN_REAL, "real")         /* finite double */                                         \
    X(COLUMN_BOOLEAN, "boolean")   /* 0 or 1 */                                                \
    X(COLUMN_DATE, "date")         /* days since 1970-01-01 */                                 \
    X(COLUMN_DATETIME, "datetime") /* milliseconds since 1970-01-01T00:00:00Z */               \
    X(COLUMN_TEXT, "text")         /* valid UTF-8, never null */                               \
    X(COLUMN_LIST, "list")         /* raw text and its elements, never null */

enum column_type {
#define X(type, word) type,
    COLUMN_TYPES(X)
#undef X
};

const char *column_type_name(enum column_type type);
bool column_type_parse(struct str word, enum column_type *out);
bool column_type_is_textual(enum column_type type); /* text, list */
