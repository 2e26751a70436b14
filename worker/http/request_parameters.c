#include "http/request_parameters.h"

#include "base/num.h"
#include "base/suggest.h"
#include "http/router.h"

#include <inttypes.h>

/* A maximum this large is not named to a client whose value is below the minimum: the true
 * bound (the number of rows of a page of JSON, say) is lower and known only to the handler. */
#define INTEGER_TOLD_MAX 1000000000

const char *
request_param_type_name(enum param_type type)
{
    static const char *const NAMES[] = {
#define X(type, word) [type] = word,
        PARAM_TYPES(X)
#undef X
    };
    return NAMES[type];
}

static size_t
find_param(const struct route *route, struct str name)
{
    for (size_t i = 0; i < route->param_count; i++)
        if (str_eq(str_from(route->params[i].name), name))
            return i;
    return SIZE_MAX;
}

static bool
refuse_unknown(const struct route *route, struct str name, struct err *err)
{
    struct suggestion near = suggest_begin(name);
    for (size_t i = 0; i < route->param_count; i++)
        suggest_offer(&near, str_from(route->params[i].name));
    return err_set_name(err, ERR_UNKNOWN_PARAMETER, NULL, name,
                        "there is no parameter '%" STR_FMT "' here%s", STR_ARG(name),
                        suggest_text(&near));
}

static bool
parse_boolean(struct str text, bool *out)
{
    bool is_true = str_eq_ascii_nocase(text, STR("true")) || str_eq(text, STR("1"));
    bool is_false = str_eq_ascii_nocase(text, STR("false")) || str_eq(text, STR("0"));
    *out = is_true;
    return is_true || is_false;
}

static bool
is_one_of(struct str text, const char *words)
{
    struct str rest = str_from(words);
    while (rest.p)
        if (str_eq(text, str_cut(&rest, ' ')))
            return true;
    return false;
}

static bool
check_integer(const struct route_param *p, struct str value, struct err *err)
{
    int64_t v;
    bool is_integer = num_parse_i64(value, &v);
    if (is_integer && v >= p->min && v <= p->max)
        return true;
    if (p->max >= INTEGER_TOLD_MAX && !(is_integer && v > p->max))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(p->name),
                            "%s is an integer of at least %" PRId64 ", got '%" STR_FMT "'",
                            p->name, p->min, STR_ARG(value));
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(p->name),
                        "%s is an integer from %" PRId64 " to %" PRId64 ", got '%" STR_FMT "'",
                        p->name, p->min, p->max, STR_ARG(value));
}

static bool
check_length(const struct route_param *p, struct str value, struct err *err)
{
    int64_t bytes = (int64_t)value.n;
    if (bytes >= p->min && bytes <= p->max)
        return true;
    if (p->min == p->max)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(p->name),
                            "%s has %" PRId64 " bytes, got %" PRId64, p->name, p->min, bytes);
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, str_from(p->name),
                        "%s has %" PRId64 " to %" PRId64 " bytes, got %" PRId64, p->name,
                        p->min, p->max, bytes);
}

static bool
check_value(const struct route_param *p, struct str value, struct err *err)
{
    struct str name = str_from(p->name);
    bool ignored;
    switch (p->type) {
    case PARAM_TEXT:
        return check_length(p, value, err);
    case PARAM_INTEGER:
        return check_integer(p, value, err);
    case PARAM_BOOLEAN:
        return parse_boolean(value, &ignored) ||
               err_set_name(err, ERR_BAD_PARAMETER, NULL, name,
                            "%s is true or false, got '%" STR_FMT "'", p->name, STR_ARG(value));
    case PARAM_WORD:
        return is_one_of(value, p->words) || err_set_name(err, ERR_BAD_PARAMETER, NULL, name,
                                                          "%s is one of %s, got '%" STR_FMT "'",
                                                          p->name, p->words, STR_ARG(value));
    }
    return false;
}

bool
request_check_params(struct request *request, struct err *err)
{
    const struct route *route = request->route;
    struct str *values = arena_array(request->arena, route->param_count, struct str);
    struct http_param *filters =
        arena_array(request->arena, request->param_count, struct http_param);
    size_t filter_count = 0;
    for (size_t i = 0; i < request->param_count; i++) {
        const struct http_param *given = &request->params[i];
        size_t at = find_param(route, given->name);
        if (at == SIZE_MAX) {
            if (!(route->flags & ROUTE_TAKES_FILTERS))
                return refuse_unknown(route, given->name, err);
            filters[filter_count++] = *given;
            continue;
        }
        if (values[at].p)
            return err_set_name(err, ERR_BAD_PARAMETER, "duplicate_parameter", given->name,
                                "%" STR_FMT " may be given once", STR_ARG(given->name));
        if (!check_value(&route->params[at], given->value, err))
            return false;
        values[at] = given->value;
    }
    request->values = values;
    request->filters = filters;
    request->filter_count = filter_count;
    return true;
}

struct str
request_path_value(const struct request *request, const char *name)
{
    struct str rest = str_skip(str_from(request->route->pattern), 1);
    size_t value_count = 0;
    while (rest.p) {
        struct str segment = str_cut(&rest, '/');
        if (!router_is_name(segment))
            continue;
        if (str_eq(str_slice(segment, 1, segment.n - 1), str_from(name)))
            return request->path_values[value_count];
        value_count++;
    }
    assert(!"the pattern has no such name");
    return (struct str){NULL, 0};
}

bool
request_has(const struct request *request, const char *name)
{
    size_t at = find_param(request->route, str_from(name));
    assert(at != SIZE_MAX);
    return request->values[at].p != NULL;
}

struct str
request_text(const struct request *request, const char *name)
{
    size_t at = find_param(request->route, str_from(name));
    assert(at != SIZE_MAX);
    const char *fallback = request->route->params[at].fallback;
    return request->values[at].p ? request->values[at] : str_from(fallback);
}

int64_t
request_integer(const struct request *request, const char *name)
{
    int64_t v = 0;
    struct str text = request_text(request, name);
    return text.n && num_parse_i64(text, &v) ? v : 0;
}

bool
request_boolean(const struct request *request, const char *name)
{
    bool v = false;
    return parse_boolean(request_text(request, name), &v) && v;
}
