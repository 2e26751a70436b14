/* See cors.h.  Credentials travel in headers of their own here, never in cookies, so
 * Allow-Credentials is not sent. */
#include "api/cors.h"

static bool
is_listed(const struct config *config, struct str origin)
{
    for (size_t i = 0; i < config->http_cors_origins.count; i++)
        if (str_eq(config->http_cors_origins.items[i], origin))
            return true;
    return false;
}

void
cors_add_headers(const struct config *config, const struct request *request,
                 struct response *response)
{
    if (config->http_cors_origins.count == 0)
        return;
    response_header(response, "Vary", "Origin");
    struct str origin = request->header.origin;
    if (!is_listed(config, origin))
        return;
    response_header(response, "Access-Control-Allow-Origin", "%" STR_FMT, STR_ARG(origin));
    response_header(response, "Access-Control-Expose-Headers",
                    "ETag, Idempotent-Replayed, Link, Location, Retry-After, X-Request-Id");
    if (request->method != HTTP_OPTIONS)
        return;
    response_header(response, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE");
    response_header(response, "Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-API-Key, "
                    "X-Request-Id");
    response_header(response, "Access-Control-Max-Age", "600");
}
