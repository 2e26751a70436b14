#include "api/selection.h"

static struct str
declared_names(struct arena *a, const struct route *route)
{
    scoped_buf names;
    buf_init(&names, KIB);
    for (size_t i = 0; i < route->param_count; i++)
        buf_printf(&names, "%s%s", i ? " " : "", route->params[i].name);
    return arena_str(a, buf_str(&names));
}

bool
selection_open(struct app *app, const struct request *request, struct str dataset,
               int64_t version_or_0, struct str q, struct selection *out, struct err *err)
{
    struct arena *a = request->arena;
    struct selection s = {0};
    if (!embedded_open(app->versions, dataset, version_or_0, &s.version, err))
        return false;
    struct param *params = arena_array(a, request->filter_count, struct param);
    for (size_t i = 0; i < request->filter_count; i++)
        params[i] = (struct param){request->filters[i].name, request->filters[i].value};
    const struct schema *schema = &s.version->schema;
    s.query.dataset_id = s.version->dataset.id;
    struct str declared =
        request->filter_count ? declared_names(a, request->route) : (struct str){0};
    if (!filter_parse(a, schema, params, request->filter_count, declared, q, &s.query.filter,
                      err) ||
        !query_parse_fields(a, schema, (struct str){NULL, 0}, &s.query, err))
        return false;
    *out = s;
    return true;
}

struct str
selection_etag(struct arena *a, const struct version *version, const char *form)
{
    /* The job that made the version, unlike its number, never comes again, not even when the
     * data directory is made anew.  What was answered from a file that proved damaged is not
     * confirmed once it is made again. */
    if (version->info.edition)
        return arena_printf(a, "%" STR_FMT "-%lld-%s", STR_ARG(version->info.job_id),
                            (long long)version->info.edition, form);
    return arena_printf(a, "%" STR_FMT "-%s", STR_ARG(version->info.job_id), form);
}
