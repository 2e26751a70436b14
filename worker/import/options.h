/* The options of an import: given in a query, a form, JSON or at the command line, and kept as
 * JSON with the job.  Each is one row of IMPORT_OPTIONS, of which all of these are made, and a
 * pair of functions in options.c, set_NAME and add_NAME. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "csv/decode.h"

#define IMPORT_LABEL_BYTES_MAX 256
#define IMPORT_KEY_BYTES_MAX KIB

/*   name, type, min, max: of a query's parameter; elsewhere the option's own function bounds it
 *   words: all it may be, for the type WORD
 *   json: the types that its member in JSON may have
 *   help
 * Error messages name them in this order. */
// clang-format off
#define IMPORT_OPTIONS(X)                                                                      \
    X(mode, WORD, 0, 0, "replace append upsert", "string",                                     \
      "what becomes of the rows that are there; replace when absent")                          \
    IMPORT_OPTIONS_OF_TEXT(X)                                                                  \
    X(quote, TEXT, 1, 8, NULL, "string",                                                       \
      "auto, none, or the character around cells")                                             \
    X(header, WORD, 0, 0, "true false", "boolean string",                                      \
      "whether the first row holds the names; found out when absent")                          \
    X(decimal, WORD, 0, 0, ". ,", "string",                                                    \
      "the decimal separator; '.' when absent")                                                \
    X(types, TEXT, 1, 65536, NULL, "object string",                                            \
      "column:type,column:type or a JSON object, for a dataset that is not declared")          \
    X(key, TEXT, 1, IMPORT_KEY_BYTES_MAX, NULL, "string",                                      \
      "key column of a dataset that is not declared; the row number when absent")              \
    X(nulls, TEXT, 0, 4096, NULL, "array string",                                              \
      "words that count as empty, separated by commas, or a JSON array")                       \
    X(on_error, WORD, 0, 0, "skip abort", "string",                                            \
      "what a bad row does: it becomes a reject (when absent), or ends the import")            \
    X(max_errors, INTEGER, 0, INT64_MAX, NULL, "integer string",                               \
      "bad rows after which the import fails")                                                 \
    X(label, TEXT, 0, IMPORT_LABEL_BYTES_MAX, NULL, "string",                                  \
      "a name for the version")
/* The short form takes these alone. */
#define IMPORT_OPTIONS_OF_TEXT(X)                                                              \
    X(encoding, TEXT, 1, 32, NULL, "string",                                                   \
      "auto, utf-8, utf-16, iso-8859-1, windows-1252 or ascii")                                \
    X(delimiter, TEXT, 1, 8, NULL, "string",                                                   \
      "auto, or the character between cells")
// clang-format on

enum import_option_id {
#define X(name, ...) IMPORT_OPTION_##name,
    IMPORT_OPTIONS(X)
#undef X
        IMPORT_OPTION_COUNT
};

enum import_mode { IMPORT_REPLACE, IMPORT_APPEND, IMPORT_UPSERT };
struct str import_mode_name(enum import_mode mode);

struct import_options { /* zeroed is the default of each */
    enum import_mode mode;
    enum csv_encoding encoding;
    struct csv_hints dialect;
    char decimal; /* 0 is '.' */
    struct param_pair {
        struct str name, value;
    } * types; /* column (name or header) to type */
    size_t type_count;
    struct str key;
    struct str *nulls; /* NULL: the default words */
    size_t null_count;
    bool aborts_on_error; /* on_error=abort */
    uint64_t errors_max;  /* 0: no bound */
    struct str label;
    struct str url; /* for fetch; "" for a file */
};
/* One option as a field of a form, a query parameter or a JSON member (objects and arrays of
 * JSON come as their text).  Unknown names and bad values are bad_parameter with the rule. */
MUST_CHECK bool import_option_set(struct arena *a, struct import_options *options,
                                  struct str name, struct str value, struct err *err);
/* As stored with the job; print then parse is identity. */
void import_options_add_json(struct buf *out, const struct import_options *options);
MUST_CHECK bool import_options_parse_json(struct arena *a, struct str json,
                                          struct import_options *out, struct err *err);
