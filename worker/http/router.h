/* The route table's row, and finding and checking a request's.  What a row declares is enforced
 * before its handler runs: method, scope, parameters with their types and bounds, size of the
 * body.  The same rows are printed by `playmeter routes` and compared with openapi.yaml. */
#pragma once

#include "http/request_parameters.h"
#include "http/response.h"

struct app; /* what handlers work with; the router only passes it on */

enum route_flags {
    ROUTE_TAKES_FILTERS = 1,  /* parameters that are not declared are filters of the dataset */
    ROUTE_PUBLIC_DATASET = 2, /* needs no key where the dataset is public */
    ROUTE_PUBLIC_LIST = 4,    /* needs no key: shows what is public */
    /* A player's token is asked for.  In a row that has a scope, a key of it is as good; where
     * both come, the token decides whose data it is. */
    ROUTE_PLAYER = 8,
    ROUTE_MAY_BE_PLAYER = 16, /* a token is looked at when it comes; one that is bad is 401 */
    ROUTE_AT_ROOT = 32,       /* also without the /v1 of its pattern */
};

struct route {
    enum http_method method; /* HTTP_GET answers HEAD too */
    const char *pattern;     /* "/v1/datasets/{dataset}/rows" */
    const char *operation;   /* operationId in openapi.yaml, name of the handler */
    bool (*handle)(struct app *app, struct request *request, struct response *response,
                   struct err *err);
    enum http_scope scope;
    unsigned flags;
    uint64_t body_bytes_max; /* of a body in memory; bodies in files are bounded by nginx */
    const struct route_param *params;
    size_t param_count;
};

/* The pattern without its /v1, of a row that is at the root too. */
const char *router_root_pattern(const struct route *route);
/* "{dataset}": a part of a pattern that takes any text. */
bool router_is_name(struct str segment);
/* Finds the row and fills request->route and path_values.  Errors: not_found; method, after
 * which `allow` holds the methods of the path as in the Allow header. */
MUST_CHECK bool router_find(const struct route *routes, size_t count, struct request *request,
                            struct buf *allow, struct err *err);
MUST_CHECK bool router_check_body(const struct request *request, struct err *err);
