/* The parameters of a request: how a row of the route table declares them, how a request is
 * checked against that, and how a handler reads them. */
#pragma once

#include "http/request.h"

/*   type, word */
#define PARAM_TYPES(X)                                                                         \
    X(PARAM_TEXT, "string")     /* min and max: its length in bytes */                         \
    X(PARAM_INTEGER, "integer") /* min and max: the value */                                   \
    X(PARAM_BOOLEAN, "boolean") /* true false 1 0 */                                           \
    X(PARAM_WORD, "word")       /* one of `words` */
enum param_type {
#define X(type, word) type,
    PARAM_TYPES(X)
#undef X
};
const char *request_param_type_name(enum param_type type);

struct route_param {
    const char *name;
    enum param_type type;
    int64_t min, max;     /* PARAM_TEXT, PARAM_INTEGER */
    const char *fallback; /* as text; NULL: absent */
    const char *words;    /* PARAM_WORD: separated by blanks */
    const char *help;
};

/* Checks the parameters against the request's route, and fills request->values and
 * request->filters.  Errors: unknown_parameter, suggesting the nearest name; bad_parameter. */
MUST_CHECK bool request_check_params(struct request *request, struct err *err);

/* What a handler reads.  Asserts that the route declares the name (or its pattern has it). */
struct str request_path_value(const struct request *request, const char *name);
bool request_has(const struct request *request, const char *name);
struct str request_text(const struct request *request, const char *name); /* "" when absent */
/* 0 when absent and without a fallback. */
int64_t request_integer(const struct request *request, const char *name);
bool request_boolean(const struct request *request, const char *name);
