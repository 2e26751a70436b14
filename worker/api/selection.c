#include "api/selection.h"

#include "api/access.h"
#include "api/page.h"

static bool
read_filters(const struct request *request, const struct schema *schema, struct str q,
             struct filter **out, struct err *err)
{
    struct arena *a = request->arena;
    struct param *params = arena_array(a, request->filter_count, struct param);
    for (size_t i = 0; i < request->filter_count; i++)
        params[i] = (struct param){request->filters[i].name, request->filters[i].value};
    scoped_buf names;
    buf_init(&names, KIB);
    const struct route *route = request->route;
    for (size_t i = 0; request->filter_count && i < route->param_count; i++)
        buf_printf(&names, "%s%s", i ? " " : "", route->params[i].name);
    return filter_parse(a, schema, params, request->filter_count, arena_str(a, buf_str(&names)),
                        q, out, err);
}

bool
selection_open(struct app *app, const struct request *request, struct str q, struct str cursor,
               struct selection *out, struct err *err)
{
    struct selection s = {.ask = {.engine = app->engine,
                                  .arena = request->arena,
                                  .deadline_us = app_deadline_us(app, request)},
                          .has_cursor = cursor.n > 0};
    const struct dataset *dataset;
    struct filter *filter;
    if (s.has_cursor && !query_parse_cursor(cursor, &s.cursor, err))
        return false;
    if (!access_dataset(app, request, &dataset, err) ||
        !app->engine->open(app->versions, dataset, s.cursor.version, &s.ask.version, err) ||
        !read_filters(request, &s.ask.version->schema, q, &filter, err))
        return false;
    s.ask.filter = filter;
    *out = s;
    return true;
}

bool
selection_read_limit(const struct request *request, enum export_format format,
                     const char *items, struct selection *s, struct err *err)
{
    bool has_limit = format == EXPORT_JSON || request_has(request, "limit");
    s->query.limit = has_limit ? (uint64_t)request_integer(request, "limit") : 0;
    return format != EXPORT_JSON || s->query.limit <= QUERY_LIMIT_MAX ||
           err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("limit"),
                        "limit is at most %d %s of JSON, got %zu; format=csv and "
                        "format=ndjson have no such bound",
                        QUERY_LIMIT_MAX, items, (size_t)s->query.limit);
}

bool
selection_use_cursor(struct selection *s, struct err *err)
{
    return !s->has_cursor || query_use_cursor(&s->query, &s->ask, &s->cursor, err);
}

bool
selection_is_known(const struct selection *s, struct response *response, const char *form)
{
    /* The job that made the version, unlike its number, never comes again, not even when the
     * data directory is made anew.  What was answered from a file that proved damaged is not
     * confirmed once it is made again. */
    const struct dataset_version *info = &s->ask.version->info;
    struct str etag =
        info->edition
            ? arena_printf(s->ask.arena, "%" STR_FMT "-%lld-%s", STR_ARG(info->job_id),
                           (long long)info->edition, form)
            : arena_printf(s->ask.arena, "%" STR_FMT "-%s", STR_ARG(info->job_id), form);
    return response_is_known(response, etag);
}

bool
selection_begin_stream(const struct selection *s, struct response *response,
                       enum export_format format, const char *suffix, uint64_t total,
                       struct err *err)
{
    response_header(response, "X-Total-Count", "%zu", (size_t)total);
    response_header(response, "Content-Disposition",
                    "attachment; filename=\"%" STR_FMT "%s.%s\"",
                    STR_ARG(s->ask.version->dataset.name), suffix, format_name(format));
    return response_begin_stream(response, format_media_type(format), err);
}

void
selection_begin_meta(struct json *j, const struct selection *s, const struct request *request,
                     struct response *response, uint64_t total, size_t item_count,
                     bool has_more)
{
    struct str cursor = {NULL, 0};
    if (has_more)
        cursor = query_make_cursor(&s->ask, &s->query, s->query.offset + item_count);
    page_begin_meta(j, request, response, cursor);
    json_member_u64(j, "total", total);
}

void
selection_end(struct json *j, const struct selection *s)
{
    json_member_i64(j, "version", s->ask.version->info.number);
    page_end(j);
}
