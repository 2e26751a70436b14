/* The head is CGI's (RFC 3875): a Status line, headers, an empty line. */
#include "http/response.h"

#include "base/clock.h"
#include "base/num.h"
#include "base/release.h"
#include "http/status.h"

#include <stdarg.h>
#include <stdio.h>

#define HEAD_BYTES_MAX (16 * KIB)
/* A chunk of a stream: large enough that the cost per send is negligible. */
#define CHUNK_BYTES (64 * KIB)

void
response_init(struct response *r, const struct request *request, struct http_sink sink)
{
    *r = (struct response){.request = request, .sink = sink, .status = 200};
    buf_init(&r->head, HEAD_BYTES_MAX);
    buf_init(&r->body, RESPONSE_BODY_BYTES_MAX);
}

void
response_free(struct response *r)
{
    buf_free(&r->head);
    buf_free(&r->body);
}

void
response_reset(struct response *r)
{
    assert(!r->is_streaming);
    r->status = 200;
    r->type = NULL;
    r->has_etag = false;
    buf_clear(&r->head);
    buf_clear(&r->body);
}

static void
add_header(struct response *r, const char *name, struct str value)
{
    buf_add(&r->head, str_from(name));
    buf_add_lit(&r->head, ": ");
    size_t start = r->head.n;
    buf_add(&r->head, value);
    for (size_t i = start; i < r->head.n; i++)
        if ((unsigned char)r->head.p[i] < 0x20 || r->head.p[i] == 0x7f)
            r->head.p[i] = '?';
    buf_add_lit(&r->head, "\r\n");
}

void
response_header(struct response *r, const char *name, const char *fmt, ...)
{
    char value[4 * KIB];
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof(value), fmt, args);
    va_end(args);
    add_header(r, name, str_from(value));
}

bool
response_is_known(struct response *r, struct str etag)
{
    struct str tag =
        arena_printf(r->request->arena, "\"%" STR_FMT "-" RELEASE "\"", STR_ARG(etag));
    add_header(r, "ETag", tag);
    r->has_etag = true;
    if (!request_matches_etag(r->request, tag))
        return false;
    r->status = 304;
    return true;
}

static bool
send(struct response *r, struct str bytes)
{
    if (!r->is_broken && bytes.n && !r->sink.write(r->sink.context, bytes))
        r->is_broken = true;
    return !r->is_broken;
}

static bool
send_head(struct response *r)
{
    assert(!r->head.is_full);
    add_header(r, "X-Request-Id", r->request->id);
    /* In every answer as the length is: printing the two by a format was most of what they
     * cost. */
    buf_add_lit(&r->head, "Server-Timing: app;dur=");
    num_add_f64(&r->head, (double)(clock_steady_us() - r->request->started_us) / 1000);
    buf_add_lit(&r->head, "\r\n");
    /* A response with an ETag may be stored but must be revalidated each time, because the key
     * decides what may be seen; it is private when the request had a key or token.  All else is
     * valid only now, or secret, and not stored. */
    bool is_private = r->request->client.n || r->request->header.authorization.n;
    add_header(r, "Cache-Control",
               !r->has_etag ? STR("no-store")
               : is_private ? STR("private, no-cache")
                            : STR("no-cache"));
    if (r->type)
        add_header(r, "Content-Type", str_from(r->type));
    char status[64];
    snprintf(status, sizeof(status), "Status: %d %s\r\n", r->status, http_reason(r->status));
    buf_add_lit(&r->head, "\r\n");
    return send(r, str_from(status)) && send(r, buf_str(&r->head));
}

bool
response_wants_body(const struct response *r)
{
    return r->request->method != HTTP_HEAD && r->status != 304 && r->status != 204;
}

bool
response_begin_stream(struct response *r, const char *type, struct err *err)
{
    r->type = type;
    r->is_streaming = true;
    r->stream_ends_us = clock_steady_us() + RESPONSE_STREAM_MS_MAX * UINT64_C(1000);
    return send_head(r) || err_set(err, ERR_BUSY, "the client is gone");
}

static bool
send_body(struct response *r)
{
    r->body_bytes += r->body.n;
    bool is_sent = !response_wants_body(r) || send(r, buf_str(&r->body));
    buf_clear(&r->body);
    return is_sent;
}

bool
response_flush_stream(struct response *r, struct err *err)
{
    assert(r->is_streaming);
    if (r->body.is_full)
        return err_set(err, ERR_INTERNAL, "a row is larger than %zu bytes", r->body.max);
    if (r->body.n < CHUNK_BYTES)
        return true;
    if (clock_steady_us() > r->stream_ends_us)
        return err_set(err, ERR_BUSY, "the client took more than %d ms to read the answer",
                       RESPONSE_STREAM_MS_MAX);
    return send_body(r) || err_set(err, ERR_BUSY, "the client is gone or reads too slowly");
}

void
response_finish(struct response *r)
{
    if (!r->is_streaming) {
        bool has_length = r->status != 304 && r->status != 204;
        if (has_length) {
            buf_add_lit(&r->head, "Content-Length: ");
            num_add_i64(&r->head, (int64_t)r->body.n);
            buf_add_lit(&r->head, "\r\n");
        }
        send_head(r);
    }
    send_body(r);
}
