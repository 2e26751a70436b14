#include "cli/routes.h"

#include "api/app.h"
#include "json/write.h"

#include <stdio.h>
#include <string.h>

static void
add_param(struct json *j, const struct route_param *p)
{
    json_begin_object(j);
    json_member_str(j, "name", str_from(p->name));
    json_member_str(j, "type", str_from(request_param_type_name(p->type)));
    if (p->type == PARAM_INTEGER || p->type == PARAM_TEXT) {
        json_member_i64(j, "min", p->min);
        json_member_i64(j, "max", p->max);
    }
    if (p->fallback)
        json_member_str(j, "default", str_from(p->fallback));
    if (p->words)
        json_member_str(j, "words", str_from(p->words));
    json_member_str(j, "help", str_from(p->help));
    json_end_object(j);
}

static void
add_route(struct json *j, const struct route *route)
{
    json_begin_object(j);
    json_member_str(j, "method", str_from(http_method_name(route->method)));
    json_member_str(j, "path", str_from(route->pattern));
    json_member_str(j, "operation", str_from(route->operation));
    json_member_str(j, "scope", str_from(http_scope_name(route->scope)));
    json_member_bool(j, "open", route->flags & (ROUTE_PUBLIC_DATASET | ROUTE_PUBLIC_LIST));
    json_member_str(j, "player",
                    route->flags & ROUTE_PLAYER          ? STR("required")
                    : route->flags & ROUTE_MAY_BE_PLAYER ? STR("optional")
                                                         : STR("none"));
    json_member_bool(j, "at_root", route->flags & ROUTE_AT_ROOT);
    json_member_bool(j, "filters", route->flags & ROUTE_TAKES_FILTERS);
    json_member_str(j, "pool", str_from(router_pool_name(route->pool)));
    json_member_str(j, "zone", str_from(router_zone_name(route->zone)));
    json_member_u64(j, "body_bytes_max", route->body->bytes_max);
    json_member_bool(j, "body_file", route->body->is_file);
    json_member_begin_array(j, "parameters");
    for (size_t i = 0; i < route->param_count; i++)
        add_param(j, &route->params[i]);
    json_end_array(j);
    json_end_object(j);
}

static const char *
callers_of(const struct route *route)
{
    static const char *const BESIDE_KEY[] = {[SCOPE_NONE] = "player",
                                             [SCOPE_READ] = "player or read",
                                             [SCOPE_WRITE] = "player or write",
                                             [SCOPE_ADMIN] = "player or admin"};
    if (route->flags & (ROUTE_PUBLIC_DATASET | ROUTE_PUBLIC_LIST))
        return "public";
    if (route->flags & ROUTE_MAY_BE_PLAYER)
        return "none or player";
    return route->flags & ROUTE_PLAYER ? BESIDE_KEY[route->scope]
                                       : http_scope_name(route->scope);
}

static void
print_route(const struct route *route, const char *pattern)
{
    printf("%-7s%-36s%-17s%s", http_method_name(route->method), pattern, callers_of(route),
           route->operation);
    for (size_t k = 0; k < route->param_count; k++)
        printf("%s%s", k ? " " : "  ?", route->params[k].name);
    puts(route->flags & ROUTE_TAKES_FILTERS ? " column__op" : "");
}

int
cli_routes(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--json") == 0) {
        scoped_buf out;
        buf_init(&out, MIB);
        struct json j = json_write(&out);
        json_begin_array(&j);
        for (size_t i = 0; i < ROUTE_COUNT; i++)
            add_route(&j, &ROUTES[i]);
        json_end_array(&j);
        printf("%" STR_FMT "\n", STR_ARG(buf_str(&out)));
        return 0;
    }
    if (argc > 1) {
        fprintf(stderr, "playmeter routes: '%s' is not an option; there is --json\n", argv[1]);
        return 2;
    }
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        print_route(&ROUTES[i], ROUTES[i].pattern);
        if (ROUTES[i].flags & ROUTE_AT_ROOT)
            print_route(&ROUTES[i], router_root_pattern(&ROUTES[i]));
    }
    return 0;
}
