/* The route table's row, and finding and checking a request's.  What a row declares is enforced
 * before its handler runs: by nginx the pool, the rate and how much of a body is let in, by the
 * worker method, scope, parameters with their types and bounds, size of the body.  nginx's
 * locations and /openapi.json are made of the same rows, and `playmeter routes` prints them. */
#pragma once

#include "http/request_parameters.h"
#include "http/response.h"

struct app; /* what handlers work with; the router only passes it on */

enum route_flags {
    ROUTE_TAKES_FILTERS = 1,  /* parameters that are not declared are filters of the dataset */
    ROUTE_PUBLIC_DATASET = 2, /* needs no key where the dataset is public */
    ROUTE_PUBLIC_LIST = 4,    /* needs no key: without one it shows what is public */
    /* Needs a player's token.  In a row that has a scope, a key of that scope will do as well;
     * when both are sent, the token decides whose data it is. */
    ROUTE_PLAYER = 8,
    ROUTE_MAY_BE_PLAYER = 16, /* a token is optional; an invalid one is still answered 401 */
    ROUTE_AT_ROOT = 32,       /* also without the /v1 of its pattern */
    /* A list that is one page in every form; what has no such flag may be an export. */
    ROUTE_ONE_PAGE = 64,
};

/*   pool, nginx's upstream */
#define ROUTE_POOLS(X)                                                                         \
    X(POOL_QUERY, "query")                                                                     \
    X(POOL_PLAY, "play") /* players alone, so that no analyst can hold up a game */
enum route_pool {
#define X(pool, word) pool,
    ROUTE_POOLS(X)
#undef X
};

/*   zone: the rate (section limits) that calls count in; nginx/zone_WORD.conf */
#define ROUTE_ZONES(X)                                                                         \
    X(ZONE_NONE, "none") /* probes */                                                          \
    X(ZONE_READS, "reads")                                                                     \
    X(ZONE_PLAY, "play")                                                                       \
    X(ZONE_ACCOUNTS, "accounts")                                                               \
    X(ZONE_IMPORTS, "imports") /* scope write is asked for before the body is read */
enum route_zone {
#define X(zone, word) zone,
    ROUTE_ZONES(X)
#undef X
};

struct route_body {
    uint64_t bytes_max; /* in memory, as the worker takes it; 0: the route takes none */
    bool is_file;       /* nginx puts it into a file, which is bounded by the settings */
    /* What nginx says to one that is too large even for it, around the size.  NULL: the words
     * that it has for all. */
    const char *before, *after;
};

struct route {
    enum http_method method; /* HTTP_GET answers HEAD too */
    const char *pattern;     /* "/v1/datasets/{dataset}/rows" */
    const char *operation;   /* operationId, its words in openapi.yaml, name of the handler */
    bool (*handle)(struct app *app, struct request *request, struct response *response,
                   struct err *err);
    enum http_scope scope;
    unsigned flags;
    enum route_pool pool; /* rows of one path have the same pool and zone */
    enum route_zone zone;
    const struct route_body *body;
    const struct route_param *params;
    size_t param_count;
};

const char *router_pool_name(enum route_pool pool);
const char *router_zone_name(enum route_zone zone);

/* The pattern without its /v1, of a row with ROUTE_AT_ROOT. */
const char *router_root_pattern(const struct route *route);
/* Is it a segment like "{dataset}", which matches any text? */
bool router_is_name(struct str segment);
/* Has no row before it the same pattern? */
bool router_is_first_of_path(const struct route *routes, size_t row);
/* Adds to "GET, HEAD, POST"; a row of GET answers HEAD too. */
void router_allow(struct buf *allow, enum http_method method);
/* Finds the row and fills request->route and path_values.  Errors: not_found; method, with
 * `allow` then holding the methods of the path as in the Allow header. */
MUST_CHECK bool router_find(const struct route *routes, size_t count, struct request *request,
                            struct buf *allow, struct err *err);
/* Refuses a body above the row's body->bytes_max: too_large, or malformed when that is 0. */
MUST_CHECK bool router_check_body(const struct request *request, struct err *err);
