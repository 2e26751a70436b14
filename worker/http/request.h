/* One HTTP request, as nginx passes it in FastCGI parameters: checked, decoded once, and in the
 * arena of the request.  Nothing in it depends on libfcgi, so tests build one from an
 * environment of their own. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define REQUEST_SEGMENTS_MAX 16
#define REQUEST_PARAMS_MAX 512
#define REQUEST_ID_BYTES_MAX 64

/*   method, word */
#define HTTP_METHODS(X)                                                                        \
    X(HTTP_GET, "GET")                                                                         \
    X(HTTP_HEAD, "HEAD")                                                                       \
    X(HTTP_POST, "POST")                                                                       \
    X(HTTP_PUT, "PUT")                                                                         \
    X(HTTP_DELETE, "DELETE")                                                                   \
    X(HTTP_OPTIONS, "OPTIONS")
enum http_method {
#define X(method, word) method,
    HTTP_METHODS(X)
#undef X
        HTTP_OTHER, /* any other word: answered 405 */
};
const char *http_method_name(enum http_method method);

/* What a key may do; each scope includes the ones before it. */
enum http_scope { SCOPE_NONE, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN };
const char *http_scope_name(enum http_scope scope); /* "none", "read", ... */

/*   field, FastCGI parameter, may be repeated (then the first counts; else malformed) */
#define REQUEST_HEADERS(X)                                                                     \
    X(content_type, "HTTP_CONTENT_TYPE", false)                                                \
    X(content_length, "CONTENT_LENGTH", false)                                                 \
    X(content_encoding, "HTTP_CONTENT_ENCODING", false)                                        \
    X(api_key, "HTTP_X_API_KEY", false)                                                        \
    X(authorization, "HTTP_AUTHORIZATION", false)                                              \
    X(idempotency_key, "HTTP_IDEMPOTENCY_KEY", false)                                          \
    X(accept, "HTTP_ACCEPT", true)                                                             \
    X(if_none_match, "HTTP_IF_NONE_MATCH", true)                                               \
    X(user_agent, "HTTP_USER_AGENT", true)                                                     \
    X(sec_purpose, "HTTP_SEC_PURPOSE", true)                                                   \
    X(purpose, "HTTP_PURPOSE", true)                                                           \
    X(x_purpose, "HTTP_X_PURPOSE", true)                                                       \
    X(x_moz, "HTTP_X_MOZ", true)                                                               \
    X(origin, "HTTP_ORIGIN", true)                                                             \
    X(host, "HTTP_HOST", true)

struct http_param { /* decoded; in the order given, duplicates kept */
    struct str name, value;
};

struct route;

struct request {
    struct arena *arena;
    uint64_t started_us; /* steady clock */
    struct str id;       /* X-Request-Id: the client's, nginx's, or made here */
    enum http_method method;
    struct str method_text;
    struct str path, query;     /* raw, as in the request line */
    const struct str *segments; /* of the path, decoded */
    size_t segment_count;
    const struct http_param *params;
    size_t param_count;
    struct str client; /* name of the key; "" for anonymous */
    enum http_scope scope;
    struct str address; /* of the client, as nginx knows it */
    struct request_headers {
#define X(field, name, may_repeat) struct str field;
        REQUEST_HEADERS(X)
#undef X
    } header;              /* "" where absent */
    struct str body;       /* a body that came over the socket; "" for none */
    const char *body_file; /* path of the file nginx put the body in; "" for none */

    /* Filled by the router. */
    const struct route *route;
    const struct str *path_values;    /* one per {name} of the pattern */
    const struct str *values;         /* one per declared parameter; {NULL, 0} where absent */
    const struct http_param *filters; /* parameters that the route does not declare */
    size_t filter_count;

    /* Filled by the check of the credentials, when the route takes a player's token. */
    int64_t player_id;     /* 0: no token came */
    struct str session_id; /* of the token; "" with player_id 0 */
};

/* Reads "NAME=value" strings up to NULL.  On failure id, method and path are filled as far as
 * possible, so that the problem can be answered and logged.  Errors: malformed (400) for
 * invalid %-escapes, %00, bytes that are not UTF-8, dot segments, and a repeated header that
 * may not be repeated. */
MUST_CHECK bool request_parse(struct arena *a, char *const *environment, struct request *out,
                              struct err *err);

/* `a=1&b=x%20y` decoded; '+' is a blank.  Also for application/x-www-form-urlencoded bodies. */
MUST_CHECK bool request_decode_query(struct arena *a, struct str text,
                                     const struct http_param **out, size_t *out_count,
                                     struct err *err);
/* Appends `text` with everything but unreserved characters (RFC 3986) as %XX. */
void request_encode(struct buf *out, struct str text);

/* Media type in lower case without parameters ("text/csv"), in the arena; "" for none. */
struct str request_media_type(const struct request *request);

/* The Content-Encoding of the body, in any case: absent, empty or "identity" is CODING_NONE,
 * "gzip" or "x-gzip" is CODING_GZIP, anything else, also a list of two, is CODING_OTHER. */
enum http_coding { CODING_NONE, CODING_GZIP, CODING_OTHER };
enum http_coding request_coding(const struct request *request);

/* Does If-None-Match contain this tag?  Weak comparison, because nginx's gzip makes tags weak.
 */
bool request_matches_etag(const struct request *request, struct str etag);

/* The index of the offered media type that the client prefers: by the q-values of Accept, where
 * a more specific range overrides a less specific one; among equals (also without Accept) the
 * one offered first.  SIZE_MAX when it accepts none of them. */
size_t request_accepts(const struct request *request, const char *const *offers, size_t count);
