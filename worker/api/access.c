/* See access.h. */
#include "api/access.h"

struct str
access_dataset(const struct request *request)
{
    bool has_name = str_find(str_from(request->route->pattern), STR("{dataset}")) >= 0;
    return has_name ? request_path_value(request, "dataset") : STR(ACCESS_SHORT_FORM_DATASET);
}

static bool
refuse(const struct request *request, struct err *err)
{
    const char *needed = http_scope_name(request->route->scope);
    if (request->scope == SCOPE_NONE)
        return err_set(err, ERR_UNAUTHORIZED,
                       "this needs a key of scope %s in the header X-API-Key", needed);
    return err_set(err, ERR_FORBIDDEN,
                   "this needs a key of scope %s, and the key of '%" STR_FMT "' has %s", needed,
                   STR_ARG(request->client), http_scope_name(request->scope));
}

/* Without a key: a dataset that does not exist is said not to, without naming others that are
 * not public. */
static bool
check_public(struct app *app, const struct request *request, struct err *err)
{
    struct dataset dataset;
    struct str name = access_dataset(request);
    if (!dataset_get(request->arena, app->db, name, &dataset, err)) {
        if (err->kind == ERR_NOT_FOUND)
            return err_set_name(err, ERR_NOT_FOUND, NULL, STR("dataset"),
                                "there is no dataset '%" STR_FMT "'", STR_ARG(name));
        return false;
    }
    return dataset.is_public ||
           err_set(err, ERR_UNAUTHORIZED,
                   "the dataset '%" STR_FMT "' is not public: it needs a key of scope read in "
                   "the header X-API-Key",
                   STR_ARG(name));
}

bool
access_check(struct app *app, const struct request *request, struct err *err)
{
    const struct route *route = request->route;
    if (request->scope >= route->scope)
        return true;
    bool may_be_open = route->flags & (ROUTE_PUBLIC_DATASET | ROUTE_PUBLIC_LIST);
    if (!may_be_open || !app->config->access_public)
        return refuse(request, err);
    return route->flags & ROUTE_PUBLIC_LIST || check_public(app, request, err);
}
