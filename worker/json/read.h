/* Strict JSON: RFC 8259 and nothing else.  Before json-c sees the text our own pass refuses
 * duplicate keys, NUL (also as \u0000), lone surrogates, invalid UTF-8, NaN, trailing bytes and
 * depth over 16; numbers keep their text, so that nothing is clamped.  The only user of json-c.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define JSON_READ_DEPTH_MAX 16

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
    enum json_kind kind;
    bool boolean;
    struct str text;                   /* string: unescaped; of any other kind as `source` */
    struct str source;                 /* as written; a string's with its quotes */
    struct str key;                    /* of a member */
    const struct json_value *children; /* array items or object members, in order */
    size_t child_count;
};

/* The whole of `text` as one value, in the arena.  Errors: malformed (400), with byte offset.
 */
MUST_CHECK bool json_read(struct arena *a, struct str text, const struct json_value **out,
                          struct err *err);
/* NULL when the object has no such member (or `object` is none). */
const struct json_value *json_get(const struct json_value *object, const char *key);
/* The same, and NULL for null: clients write null for a member that they leave out. */
const struct json_value *json_get_given(const struct json_value *object, const char *key);
/* False when it is no string / no number whose value is an integer in int64: 10.0 and 1e1 are
 * 10 (JSON Schema's rule), 10.5 is none. */
bool json_as_str(const struct json_value *v, struct str *out);
bool json_as_i64(const struct json_value *v, int64_t *out);
/* What a form would send for it: a string's text, an integer's digits however it is written,
 * everything else as written. */
struct str json_as_form(struct arena *a, const struct json_value *v);
/* Appends the value again, as compact JSON: read then print is identity of values. */
void json_add_value(struct buf *out, const struct json_value *v);
