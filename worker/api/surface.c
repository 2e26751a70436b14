#include "api/surface.h"

#include "api/app.h"

#include <string.h>

/* Players' workers know what each path takes, so that what is no JSON at all is told that, and
 * not its length; a batch that is a little too long is told by how much. */
static uint64_t
let_in(const struct route *route)
{
    uint64_t floor = route->zone == ZONE_PLAY ? 512 * KIB : NGINX_BODY_BYTES_MAX;
    uint64_t bytes = route->body->bytes_max;
    if (bytes > MIB)
        bytes = (bytes + MIB - 1) / MIB * MIB;
    return MAX(floor, bytes);
}

/* Of all rows of the path. */
static struct nginx_location
location_of(struct arena *a, const struct route *first)
{
    struct nginx_location out = {.path = str_from(first->pattern),
                                 .pool = router_pool_name(first->pool),
                                 .zone = router_zone_name(first->zone)};
    scoped_buf methods;
    buf_init(&methods, KIB);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct route *route = &ROUTES[i];
        if (strcmp(route->pattern, first->pattern) != 0)
            continue;
        assert(route->pool == first->pool && route->zone == first->zone &&
               (route->flags & ROUTE_AT_ROOT) == (first->flags & ROUTE_AT_ROOT));
        router_allow(&methods, route->method);
        out.is_one_page |= (route->flags & ROUTE_ONE_PAGE) != 0;
        out.takes_file |= route->body->is_file;
        out.body_bytes_max = MAX(out.body_bytes_max, let_in(route));
        if (route->body->bytes_max > out.told_bytes_max) {
            out.told_bytes_max = route->body->bytes_max;
            out.told_before = route->body->before;
            out.told_after = route->body->after;
        }
    }
    router_allow(&methods, HTTP_OPTIONS);
    out.methods = arena_str(a, buf_str(&methods));
    return out;
}

struct nginx_locations
surface_locations(struct arena *a)
{
    struct nginx_locations out = {arena_array(a, 2 * ROUTE_COUNT, struct nginx_location), 0};
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!router_is_first_of_path(ROUTES, i))
            continue;
        out.rows[out.count++] = location_of(a, &ROUTES[i]);
        if (!(ROUTES[i].flags & ROUTE_AT_ROOT))
            continue;
        out.rows[out.count] = out.rows[out.count - 1];
        out.rows[out.count++].path = str_from(router_root_pattern(&ROUTES[i]));
    }
    return out;
}
