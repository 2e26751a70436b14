/* The path and the query are decoded here, from the raw request line, and nowhere else, so that
 * no code sees text that was decoded twice or normalised by nginx. */
#include "http/request.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/utf8.h"

#include <string.h>

#define ID_DIGITS 32 /* of an id that we make */

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

/* The FastCGI parameters that are read: those that nginx sets, and the request's headers. */
struct variables {
    struct str id, method, uri, client, scope, address, body_file;
    struct request_headers header;
};

static const struct {
    struct str name;
    size_t offset; /* in struct variables */
    bool may_repeat;
} VARIABLES[] = {{STR_INIT("PM_REQUEST_ID"), offsetof(struct variables, id), true},
                 {STR_INIT("REQUEST_METHOD"), offsetof(struct variables, method), true},
                 {STR_INIT("REQUEST_URI"), offsetof(struct variables, uri), true},
                 {STR_INIT("PM_CLIENT"), offsetof(struct variables, client), true},
                 {STR_INIT("PM_SCOPE"), offsetof(struct variables, scope), true},
                 {STR_INIT("REMOTE_ADDR"), offsetof(struct variables, address), true},
                 {STR_INIT("PM_BODY_FILE"), offsetof(struct variables, body_file), true},
#define X(field, name, may_repeat)                                                             \
    {STR_INIT(name), offsetof(struct variables, header.field), may_repeat},
                 REQUEST_HEADERS(X)
#undef X
};

/* Copies each parameter into its field; the first of a repeated one counts.  Copied, because
 * libfcgi frees its own before the request is logged.  All are read even when one is refused,
 * so that the refusal has its request id and path. */
static bool
read_variables(struct arena *a, char *const *environment, struct variables *out,
               struct err *err)
{
    size_t counts[COUNT_OF(VARIABLES)] = {0};
    for (; *environment; environment++) {
        struct str value = str_from(*environment), name = str_cut(&value, '=');
        size_t i = 0;
        while (i < COUNT_OF(VARIABLES) && !str_eq(VARIABLES[i].name, name))
            i++;
        if (i == COUNT_OF(VARIABLES) || counts[i]++ > 0)
            continue;
        value = arena_str(a, value);
        memcpy((char *)out + VARIABLES[i].offset, &value, sizeof(value));
    }
    for (size_t i = 0; i < COUNT_OF(VARIABLES); i++)
        if (counts[i] > 1 && !VARIABLES[i].may_repeat) {
            /* As clients write it: "x-api-key" for HTTP_X_API_KEY. */
            struct str name = VARIABLES[i].name;
            name = str_skip(name, str_starts(name, STR("HTTP_")) ? 5 : 0);
            char *text = arena_alloc(a, name.n + 1);
            for (size_t k = 0; k < name.n; k++)
                text[k] = name.p[k] == '_' ? '-' : (char)(name.p[k] | 0x20);
            name.p = text;
            return err_set_name(err, ERR_MALFORMED, "duplicate_header", name,
                                "the header %s may come once, it came %zu times", name.p,
                                counts[i]);
        }
    return true;
}

/* The byte that the escape at `i` encodes, or -1. */
static int
escaped_byte(struct str text, size_t i)
{
    if (i + 3 > text.n)
        return -1;
    int high = str_hex_digit(text.p[i + 1]), low = str_hex_digit(text.p[i + 2]);
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
    if (utf8_is_valid(*out))
        return true;
    /* Only the byte is shown: the value may be a URL with a signature. */
    return err_set(err, ERR_MALFORMED, "%%%02X in the URL is not valid UTF-8 where it stands",
                   (unsigned)(unsigned char)out->p[utf8_valid_prefix(*out)]);
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

/* nginx chose the location by a path in which dot segments were resolved; in the raw path they
 * would mean something else here, so they are refused. */
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
    struct variables v = {0};
    bool is_read = read_variables(a, environment, &v, err);
    bool has_id = v.id.n > 0 && v.id.n <= REQUEST_ID_BYTES_MAX && str_is_alnum(v.id, "_.-");
    out->id = v.id;
    if (!has_id) {
        char *made = arena_alloc(a, ID_DIGITS + 1);
        random_hex(made, ID_DIGITS);
        out->id = (struct str){made, ID_DIGITS};
    }
    out->method_text = v.method;
    out->method = 0;
    while (out->method < HTTP_OTHER &&
           !str_eq(v.method, str_from(http_method_name(out->method))))
        out->method++;
    out->path = str_cut(&v.uri, '?');
    out->query = v.uri;
    out->client = v.client;
    out->scope = SCOPE_ADMIN;
    while (out->scope > SCOPE_NONE && !str_eq(v.scope, str_from(http_scope_name(out->scope))))
        out->scope--;
    out->address = v.address;
    out->header = v.header;
    if (v.body_file.n)
        out->body_file = v.body_file.p; /* a copy in the arena, NUL-terminated */
    return is_read && decode_segments(a, out->path, out, err) &&
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
