/* A linear search, first match wins: the table has a few dozen rows, and comparing a segment is
 * a memcmp. */
#include "http/router.h"

#include <inttypes.h>
#include <string.h>

const char *
router_pool_name(enum route_pool pool)
{
    static const char *const NAMES[] = {
#define X(value, word) [value] = word,
        ROUTE_POOLS(X)
#undef X
    };
    return NAMES[pool];
}

const char *
router_zone_name(enum route_zone zone)
{
    static const char *const NAMES[] = {
#define X(value, word) [value] = word,
        ROUTE_ZONES(X)
#undef X
    };
    return NAMES[zone];
}

const char *
router_root_pattern(const struct route *route)
{
    assert(str_starts(str_from(route->pattern), STR("/v1/")));
    return route->pattern + strlen("/v1");
}

bool
router_is_first_of_path(const struct route *routes, size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(routes[i].pattern, routes[row].pattern) == 0)
            return false;
    return true;
}

bool
router_is_name(struct str segment)
{
    return segment.n > 2 && segment.p[0] == '{';
}

/* Compares a pattern with the path segment by segment; {name} matches any that is not empty. */
static bool
pattern_fits(const char *pattern, const struct request *request, struct str *values)
{
    struct str rest = str_skip(str_from(pattern), 1);
    size_t i = 0, value_count = 0;
    for (; rest.p; i++) {
        struct str part = str_cut(&rest, '/');
        if (i == request->segment_count)
            return false;
        struct str segment = request->segments[i];
        if (!router_is_name(part)) {
            if (!str_eq(part, segment))
                return false;
            continue;
        }
        if (segment.n == 0)
            return false;
        values[value_count++] = segment;
    }
    return i == request->segment_count;
}

static void
allow_word(struct buf *allow, const char *word)
{
    if (allow->n)
        buf_add_lit(allow, ", ");
    buf_add(allow, str_from(word));
}

void
router_allow(struct buf *allow, enum http_method method)
{
    allow_word(allow, http_method_name(method));
    if (method == HTTP_GET)
        allow_word(allow, http_method_name(HTTP_HEAD));
}

bool
router_find(const struct route *routes, size_t count, struct request *request,
            struct buf *allow, struct err *err)
{
    enum http_method wanted = request->method == HTTP_HEAD ? HTTP_GET : request->method;
    struct str *values = arena_array(request->arena, REQUEST_SEGMENTS_MAX, struct str);
    bool is_path_known = false;
    for (size_t i = 0; i < count; i++) {
        if (!(pattern_fits(routes[i].pattern, request, values) ||
              (routes[i].flags & ROUTE_AT_ROOT &&
               pattern_fits(router_root_pattern(&routes[i]), request, values))))
            continue;
        is_path_known = true;
        if (routes[i].method == wanted) {
            request->route = &routes[i];
            request->path_values = values;
            return true;
        }
        router_allow(allow, routes[i].method);
    }
    if (!is_path_known)
        return err_set(err, ERR_NOT_FOUND,
                       "there is nothing at %" STR_FMT "; /openapi.json describes every path",
                       STR_ARG(request->path));
    router_allow(allow, HTTP_OPTIONS);
    return err_set(
        err, ERR_METHOD, "%" STR_FMT " is not allowed at %" STR_FMT "; allowed: %" STR_FMT,
        STR_ARG(request->method_text), STR_ARG(request->path), STR_ARG(buf_str(allow)));
}

bool
router_check_body(const struct request *request, struct err *err)
{
    const struct route *route = request->route;
    uint64_t bytes_max = route->body->bytes_max;
    if (request->body.n <= bytes_max)
        return true;
    if (bytes_max == 0)
        return err_set(err, ERR_MALFORMED, "%s %" STR_FMT " takes no body, got %zu bytes",
                       http_method_name(route->method), STR_ARG(request->path),
                       request->body.n);
    return err_set(err, ERR_TOO_LARGE, "the body is at most %" PRIu64 " bytes, got %zu",
                   bytes_max, request->body.n);
}
