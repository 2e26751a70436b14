/* See request.h.  The path and query are decoded here from the raw request line and nowhere
 * else, so that no layer sees text that was decoded twice or normalised by somebody else. */
#include "http/request.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/utf8.h"

#include <string.h>

const char *
http_method_name(enum http_method method)
{
    static const char *const NAMES[] = {
#define X(value, word) [value] = word,
        HTTP_METHODS(X)
#undef X
            [HTTP_OTHER] = "",
    };
    return NAMES[method];
}

const char *
http_scope_name(enum http_scope scope)
{
    static const char *const NAMES[] = {"none", "read", "write", "admin"};
    return NAMES[scope];
}

static enum http_method
parse_method(struct str word)
{
    for (int m = 0; m < HTTP_OTHER; m++)
        if (str_eq(word, str_from(http_method_name((enum http_method)m))))
            return (enum http_method)m;
    return HTTP_OTHER;
}

static enum http_scope
parse_scope(struct str word)
{
    for (int s = SCOPE_READ; s <= SCOPE_ADMIN; s++)
        if (str_eq(word, str_from(http_scope_name((enum http_scope)s))))
            return (enum http_scope)s;
    return SCOPE_NONE;
}

/* The first parameter of that name, copied, because libfcgi takes its own back before the
 * request is logged; counts them all. */
static struct str
find_variable(struct arena *a, char *const *environment, const char *name, size_t *count)
{
    struct str found = {NULL, 0};
    size_t name_n = strlen(name);
    for (; *environment; environment++) {
        if (strncmp(*environment, name, name_n) != 0 || (*environment)[name_n] != '=')
            continue;
        if ((*count)++ == 0)
            found = arena_str(a, str_from(*environment + name_n + 1));
    }
    return found;
}

static struct str
get_variable(struct arena *a, char *const *environment, const char *name)
{
    size_t count = 0;
    return find_variable(a, environment, name, &count);
}

static bool
read_headers(char *const *environment, struct request *out, struct err *err)
{
    static const struct {
        const char *name;
        size_t offset;
        bool may_repeat;
    } HEADERS[] = {
#define X(field, name, may_repeat) {name, offsetof(struct request, header.field), may_repeat},
        REQUEST_HEADERS(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(HEADERS); i++) {
        size_t count = 0;
        struct str value = find_variable(out->arena, environment, HEADERS[i].name, &count);
        if (count > 1 && !HEADERS[i].may_repeat)
            return err_set_name(err, ERR_MALFORMED, "duplicate_header",
                                str_from(HEADERS[i].name),
                                "the header behind %s may come once, it came %zu times",
                                HEADERS[i].name, count);
        memcpy((char *)out + HEADERS[i].offset, &value, sizeof(value));
    }
    return true;
}

static bool
is_id(struct str id)
{
    if (id.n == 0 || id.n > REQUEST_ID_BYTES_MAX)
        return false;
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i], low = (char)(c | 0x20);
        bool is_word = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') || c == '_';
        if (!is_word && c != '.' && c != '-')
            return false;
    }
    return true;
}

static struct str
make_id(struct arena *a)
{
    enum { DIGITS = 32 };
    char *id = arena_alloc(a, DIGITS + 1);
    random_hex(id, DIGITS);
    return (struct str){id, DIGITS};
}

static int
hex_digit(char c)
{
    char low = (char)(c | 0x20);
    return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* The byte that the escape at `i` stands for, or -1. */
static int
escaped_byte(struct str text, size_t i)
{
    if (i + 3 > text.n)
        return -1;
    int high = hex_digit(text.p[i + 1]), low = hex_digit(text.p[i + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool
decode(struct arena *a, struct str text, bool plus_is_blank, struct str *out, struct err *err)
{
    char *to = arena_alloc(a, text.n + 1); /* decoding never grows */
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        int c = (unsigned char)text.p[i];
        if (c == '+' && plus_is_blank)
            c = ' ';
        if (c == '%') {
            c = escaped_byte(text, i);
            if (c < 0)
                return err_set(err, ERR_MALFORMED,
                               "'%" STR_FMT "' in the URL: %% is followed by two hex digits",
                               STR_ARG(str_slice(text, i, i + 3)));
            i += 2;
        }
        if (c == 0)
            return err_set(err, ERR_MALFORMED, "the URL holds the byte NUL (%%00)");
        to[n++] = (char)c;
    }
    *out = (struct str){to, n};
    if (!utf8_is_valid(*out))
        return err_set(err, ERR_MALFORMED, "'%" STR_FMT "' in the URL is not valid UTF-8",
                       STR_ARG(text));
    return true;
}

bool
request_decode_query(struct arena *a, struct str text, const struct http_param **out,
                     size_t *out_count, struct err *err)
{
    size_t piece_count = 1;
    for (size_t i = 0; i < text.n; i++)
        piece_count += text.p[i] == '&';
    if (piece_count > REQUEST_PARAMS_MAX)
        return err_set(err, ERR_MALFORMED, "at most %d parameters are read, got %zu",
                       REQUEST_PARAMS_MAX, piece_count);
    struct http_param *params = arena_array(a, piece_count, struct http_param);
    size_t count = 0;
    while (text.p) {
        struct str value = str_cut(&text, '&');
        if (value.n == 0)
            continue;
        struct str name = str_cut(&value, '=');
        struct http_param *p = &params[count++];
        if (!decode(a, name, true, &p->name, err) || !decode(a, value, true, &p->value, err))
            return false;
    }
    *out = params;
    *out_count = count;
    return true;
}

/* nginx chose the location by a path in which dot segments were resolved; here they would mean
 * something else, so nobody may send them. */
static bool
decode_segments(struct arena *a, struct str path, struct request *out, struct err *err)
{
    if (path.n == 0 || path.p[0] != '/')
        return err_set(err, ERR_MALFORMED, "the path has to begin with '/'");
    struct str *segments = arena_array(a, REQUEST_SEGMENTS_MAX, struct str);
    struct str rest = str_skip(path, 1);
    size_t count = 0;
    while (rest.p) {
        if (count == REQUEST_SEGMENTS_MAX)
            return err_set(err, ERR_NOT_FOUND, "there is no path of more than %d parts",
                           REQUEST_SEGMENTS_MAX);
        struct str *s = &segments[count++];
        if (!decode(a, str_cut(&rest, '/'), false, s, err))
            return false;
        if (str_eq(*s, STR(".")) || str_eq(*s, STR("..")))
            return err_set(err, ERR_MALFORMED, "a part of the path is '%" STR_FMT "'",
                           STR_ARG(*s));
    }
    out->segments = segments;
    out->segment_count = count;
    return true;
}

bool
request_parse(struct arena *a, char *const *environment, struct request *out, struct err *err)
{
    *out = (struct request){.arena = a, .started_us = clock_steady_us(), .body_file = ""};
    struct str id = get_variable(a, environment, "PM_REQUEST_ID");
    out->id = is_id(id) ? id : make_id(a);
    out->method_text = get_variable(a, environment, "REQUEST_METHOD");
    out->method = parse_method(out->method_text);
    struct str rest = get_variable(a, environment, "REQUEST_URI");
    out->path = str_cut(&rest, '?');
    out->query = rest;
    out->client = get_variable(a, environment, "PM_CLIENT");
    out->scope = parse_scope(get_variable(a, environment, "PM_SCOPE"));
    struct str body_file = get_variable(a, environment, "PM_BODY_FILE");
    if (body_file.n)
        out->body_file = body_file.p; /* a copy in the arena, which ends in a NUL */
    return read_headers(environment, out, err) && decode_segments(a, out->path, out, err) &&
           request_decode_query(a, out->query, &out->params, &out->param_count, err);
}

void
request_encode(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        unsigned char low = c | 0x20;
        bool is_unreserved = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') || c == '-' ||
                             c == '.' || c == '_' || c == '~';
        if (is_unreserved)
            buf_add_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}
