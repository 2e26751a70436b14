/* The route table's row, and finding and checking a request's.  What a row declares is enforced
 * before its handler runs: method, scope, parameters with their types and bounds, size of the
 * body.  The same rows are printed by `playmeter routes` and compared with openapi.yaml. */
#pragma once

#include "http/request.h"
#include "http/response.h"

struct app; /* what handlers work with; the router only passes it on */

/*   type, word */
#define PARAM_TYPES(X)                                                                         \
    X(PARAM_TEXT, "string")     /* min and max: its bytes */                                   \
    X(PARAM_INTEGER, "integer") /* min and max: the value */                                   \
    X(PARAM_BOOLEAN, "boolean") /* true false 1 0 */                                           \
    X(PARAM_WORD, "word")       /* one of `words` */
enum param_type {
#define X(type, word) type,
    PARAM_TYPES(X)
#undef X
};
const char *param_type_name(enum param_type type);

struct route_param {
    const char *name;
    enum param_type type;
    int64_t min, max;     /* PARAM_TEXT, PARAM_INTEGER */
    const char *fallback; /* as text; NULL: absent */
    const char *words;    /* PARAM_WORD: separated by blanks */
    const char *help;
};

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
/* Finds the row and fills request->route and path_values.  Errors: not_found; method, after
 * which `allow` holds the methods of the path as in the Allow header. */
MUST_CHECK bool router_find(const struct route *routes, size_t count, struct request *request,
                            struct buf *allow, struct err *err);
/* Checks the parameters against the row, and fills request->values and filters.  Errors:
 * unknown_parameter, with the nearest name; bad_parameter. */
MUST_CHECK bool router_check_params(struct request *request, struct err *err);
MUST_CHECK bool router_check_body(const struct request *request, struct err *err);

/* What a handler reads; the name must be declared (or be in the pattern), all else asserts. */
struct str request_path_value(const struct request *request, const char *name);
bool request_has(const struct request *request, const char *name);
struct str request_text(const struct request *request, const char *name); /* "" when absent */
/* 0 when absent and without fallback. */
int64_t request_integer(const struct request *request, const char *name);
bool request_boolean(const struct request *request, const char *name);
