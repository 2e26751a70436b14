/* Strings are copied in runs: most text needs no escape, so the loop finds the next byte that
 * does and copies everything before it at once. */
#include "json/write.h"

#include "base/date.h"
#include "base/num.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef unsigned char lanes __attribute__((vector_size(16)));

struct json
json_write(struct buf *out)
{
    return (struct json){.out = out};
}

/* Called before every value: writes the comma after the previous member or item. */
static void
begin_value(struct json *j)
{
    if (j->needs_comma)
        buf_add_char(j->out, ',');
    j->needs_comma = true;
}

static void
open_container(struct json *j, char bracket)
{
    assert(j->depth < JSON_DEPTH_MAX);
    begin_value(j);
    buf_add_char(j->out, bracket);
    j->depth++;
    j->needs_comma = false;
}

static void
close_container(struct json *j, char bracket)
{
    assert(j->depth > 0);
    buf_add_char(j->out, bracket);
    j->depth--;
    j->needs_comma = true;
}

void
json_begin_object(struct json *j)
{
    open_container(j, '{');
}

void
json_end_object(struct json *j)
{
    close_container(j, '}');
}

void
json_begin_array(struct json *j)
{
    open_container(j, '[');
}

void
json_end_array(struct json *j)
{
    close_container(j, ']');
}

/* True for bytes that stand for themselves inside a JSON string.  False for control
 * characters, for the two that JSON escapes, for DEL (terminals act on it), and for everything
 * beyond ASCII, which must be checked. */
static bool
is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void
add_escape(struct buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        buf_add_lit(out, "\\\"");
        break;
    case '\\':
        buf_add_lit(out, "\\\\");
        break;
    case '\n':
        buf_add_lit(out, "\\n");
        break;
    case '\r':
        buf_add_lit(out, "\\r");
        break;
    case '\t':
        buf_add_lit(out, "\\t");
        break;
    default:
        buf_printf(out, "\\u%04x", c);
    }
}

/* The escape of U+0085, U+2028 and U+2029, at which JavaScript and Python's splitlines end a
 * line: unescaped they would break a line of NDJSON in two. */
static const char *
line_end_escape(struct str sequence)
{
    if (str_eq(sequence, STR("\xc2\x85")))
        return "\\u0085";
    if (str_eq(sequence, STR("\xe2\x80\xa8")))
        return "\\u2028";
    return str_eq(sequence, STR("\xe2\x80\xa9")) ? "\\u2029" : NULL;
}

/* The first byte from `i` on that is not plain.  Texts are long and such bytes are few: testing
 * sixteen at a time makes writing a page about as fast as copying it. */
static size_t
skip_plain(struct str s, size_t i)
{
    for (; i + sizeof(lanes) <= s.n; i += sizeof(lanes)) {
        lanes c;
        uint64_t odd[2];
        memcpy(&c, s.p + i, sizeof(c));
        c = (lanes)((c < 0x20) | (c >= 0x7f) | (c == '"') | (c == '\\')); /* as is_plain */
        memcpy(odd, &c, sizeof(odd));
        if (odd[0] | odd[1])
            break;
    }
    while (i < s.n && is_plain((unsigned char)s.p[i]))
        i++;
    return i;
}

void
json_add_quoted(struct buf *out, struct str s)
{
    size_t run = 0, i = 0;
    buf_add_char(out, '"');
    while (i < s.n) {
        i = skip_plain(s, i);
        if (i == s.n)
            break;
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c >= 0x80 ? utf8_sequence(str_skip(s, i)) : 0;
        bool may_end_line = n > 1 && (c == 0xc2 || c == 0xe2);
        const char *escape = may_end_line ? line_end_escape(str_slice(s, i, i + n)) : NULL;
        if (n && !escape) {
            i += n;
            continue;
        }
        buf_add(out, str_slice(s, run, i));
        if (escape)
            buf_add(out, str_from(escape));
        else if (c >= 0x80)
            buf_add_lit(out, "\xef\xbf\xbd");
        else
            add_escape(out, c);
        i += MAX(n, 1);
        run = i;
    }
    buf_add(out, str_slice(s, run, s.n));
    buf_add_char(out, '"');
}

void
json_key_str(struct json *j, struct str key)
{
    begin_value(j);
    json_add_quoted(j->out, key);
    buf_add_char(j->out, ':');
    j->needs_comma = false;
}

void
json_key(struct json *j, const char *key)
{
    json_key_str(j, str_from(key));
}

void
json_str(struct json *j, struct str s)
{
    begin_value(j);
    json_add_quoted(j->out, s);
}

void
json_i64(struct json *j, int64_t v)
{
    begin_value(j);
    num_add_i64(j->out, v);
}

void
json_u64(struct json *j, uint64_t v)
{
    begin_value(j);
    buf_printf(j->out, "%" PRIu64, v);
}

void
json_f64(struct json *j, double v)
{
    assert(isfinite(v));
    begin_value(j);
    num_add_f64(j->out, v);
}

void
json_bool(struct json *j, bool v)
{
    json_raw(j, v ? STR("true") : STR("false"));
}

void
json_null(struct json *j)
{
    json_raw(j, STR("null"));
}

void
json_raw(struct json *j, struct str json)
{
    assert(json.n > 0);
    begin_value(j);
    buf_add(j->out, json);
}

void
json_member_str(struct json *j, const char *key, struct str s)
{
    json_key(j, key);
    json_str(j, s);
}

void
json_member_i64(struct json *j, const char *key, int64_t v)
{
    json_key(j, key);
    json_i64(j, v);
}

void
json_member_u64(struct json *j, const char *key, uint64_t v)
{
    json_key(j, key);
    json_u64(j, v);
}

void
json_member_f64(struct json *j, const char *key, double v)
{
    json_key(j, key);
    json_f64(j, v);
}

void
json_member_bool(struct json *j, const char *key, bool v)
{
    json_key(j, key);
    json_bool(j, v);
}

void
json_member_raw(struct json *j, const char *key, struct str json)
{
    json_key(j, key);
    json_raw(j, json);
}

void
json_member_null(struct json *j, const char *key)
{
    json_key(j, key);
    json_null(j);
}

void
json_member_str_or_null(struct json *j, const char *key, struct str s)
{
    if (s.n)
        json_member_str(j, key, s);
    else
        json_member_null(j, key);
}

void
json_member_u64_or_null(struct json *j, const char *key, uint64_t v)
{
    if (v)
        json_member_u64(j, key, v);
    else
        json_member_null(j, key);
}

void
json_member_timestamp(struct json *j, const char *key, int64_t ms)
{
    json_key(j, key);
    begin_value(j);
    if (ms == 0) {
        buf_add_lit(j->out, "null");
        return;
    }
    buf_add_char(j->out, '"');
    date_add_timestamp(j->out, ms);
    buf_add_char(j->out, '"');
}

void
json_member_begin_object(struct json *j, const char *key)
{
    json_key(j, key);
    json_begin_object(j);
}

void
json_member_begin_array(struct json *j, const char *key)
{
    json_key(j, key);
    json_begin_array(j);
}
