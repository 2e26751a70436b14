/* Strict JSON: RFC 8259 and nothing else.  Refused are duplicate keys, NUL (also as \u0000),
 * lone surrogates, invalid UTF-8, NaN, trailing bytes and a depth over JSON_READ_DEPTH_MAX,
 * all but the first before json-c sees the text.  Numbers keep their text, so that none is
 * clamped.  The only user of json-c. */
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
    struct str key;                    /* of a member of an object, unescaped */
    const struct json_value *children; /* array items or object members, in order */
    size_t child_count;
};

/* Reads the whole of `text` as one value, in the arena.  Errors: malformed (400), with the byte
 * offset. */
MUST_CHECK bool json_read(struct arena *a, struct str text, const struct json_value **out,
                          struct err *err);
/* The member's value; NULL when there is none, or when `object` is not an object. */
const struct json_value *json_get(const struct json_value *object, const char *key);
/* The same, but also NULL for null: clients write null for a member that they leave out. */
const struct json_value *json_get_given(const struct json_value *object, const char *key);
/* json_as_str: false unless it is a string.  json_as_i64: false unless it is a number whose
 * value is an integer within int64: 10.0 and 1e1 are 10 (JSON Schema's rule), 10.5 is refused.
 */
bool json_as_str(const struct json_value *v, struct str *out);
bool json_as_i64(const struct json_value *v, int64_t *out);
/* The text that a form would send for the value: a string's text, an integer's digits in
 * whatever notation it is written, everything else as written. */
struct str json_as_form(struct arena *a, const struct json_value *v);
/* Appends the value as compact JSON.  Reading that again gives an equal value. */
void json_add_value(struct buf *out, const struct json_value *v);
