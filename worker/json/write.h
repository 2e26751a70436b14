/* Writes JSON into a buf without building a tree; the writer places the commas.
 *     json_begin_object(&j); json_key(&j, "rows"); json_i64(&j, n); json_end_object(&j);
 * The caller keeps begin and end balanced, at most JSON_DEPTH_MAX deep.  Strings are escaped
 * here and nowhere else; bytes that are not UTF-8 become U+FFFD. */
#pragma once

#include "base/buf.h"

#define JSON_DEPTH_MAX 32

struct json {
    struct buf *out;
    unsigned depth;
    bool needs_comma;
};

struct json json_write(struct buf *out);
void json_begin_object(struct json *j);
void json_end_object(struct json *j);
void json_begin_array(struct json *j);
void json_end_array(struct json *j);
void json_key(struct json *j, const char *key);
void json_key_str(struct json *j, struct str key);
void json_str(struct json *j, struct str s);
void json_i64(struct json *j, int64_t v);
void json_u64(struct json *j, uint64_t v);
void json_f64(struct json *j, double v); /* finite */
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
void json_raw(struct json *j, struct str json); /* a value that is JSON already */
/* Only the quoted string, for callers that place their own commas. */
void json_add_quoted(struct buf *out, struct str s);

/* Key and value in one call. */
void json_member_str(struct json *j, const char *key, struct str s);
void json_member_i64(struct json *j, const char *key, int64_t v);
void json_member_u64(struct json *j, const char *key, uint64_t v);
void json_member_f64(struct json *j, const char *key, double v);
void json_member_bool(struct json *j, const char *key, bool v);
void json_member_raw(struct json *j, const char *key, struct str json);
void json_member_null(struct json *j, const char *key);
void json_member_begin_object(struct json *j, const char *key);
void json_member_begin_array(struct json *j, const char *key);
/* null for "", null for 0. */
void json_member_str_or_null(struct json *j, const char *key, struct str s);
void json_member_u64_or_null(struct json *j, const char *key, uint64_t v);
/* null for 0, else RFC 3339. */
void json_member_timestamp(struct json *j, const char *key, int64_t ms);
