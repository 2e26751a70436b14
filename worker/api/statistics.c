/* See statistics.h; and the resource. */
#include "api/statistics.h"

#include "api/handlers.h"
#include "api/object.h"
#include "api/page.h"
#include "query/stats.h"

static bool
add_column(struct arena *a, struct json *j, const struct version *version,
           const struct stats_request *request, bool is_all, size_t index,
           const struct bitmap *rows, struct err *err)
{
    const struct schema_column *column = &version->schema.columns[index];
    if (!stats_check(request, column, is_all, err))
        return false;
    json_key_str(j, column->name);
    bool is_added = stats_add_version_json(a, j->out, request, version, index, rows, err);
    j->needs_comma = true;
    return is_added;
}

static bool
find_column(const struct schema *schema, struct str name, size_t *index, struct err *err)
{
    if (schema_find(schema, name, index))
        return true;
    struct suggestion near = schema_suggest(schema, name);
    return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("column"),
                        "column: there is no column '%" STR_FMT "'%s", STR_ARG(name),
                        suggest_text(&near));
}

static bool
add_measures(struct arena *a, struct json *j, const struct version *version,
             const struct stats_request *request, bool is_all, const struct bitmap *rows,
             struct err *err)
{
    for (size_t i = 0; i < version->schema.column_count; i++)
        if (version->schema.columns[i].is_measure &&
            !add_column(a, j, version, request, is_all, i, rows, err))
            return false;
    return true;
}

static bool
add_named(struct arena *a, struct json *j, const struct version *version,
          const struct stats_request *request, bool is_all, struct str names,
          const struct bitmap *rows, struct err *err)
{
    /* A column named twice would be a key given twice. */
    bool *was_added = arena_array(a, version->schema.column_count, bool);
    while (names.p) {
        size_t index;
        if (!find_column(&version->schema, str_trim(str_cut(&names, ',')), &index, err))
            return false;
        if (!was_added[index] && !add_column(a, j, version, request, is_all, index, rows, err))
            return false;
        was_added[index] = true;
    }
    return true;
}

bool
statistics_add(struct arena *a, struct buf *out, const struct version *version,
               const struct statistics_question *question, const struct bitmap *rows,
               struct err *err)
{
    struct stats_request request;
    if (!stats_parse(a, question->aggregate, question->percentiles, question->ddof,
                     question->is_unbiased, &request, err))
        return false;
    bool is_all = str_eq(question->aggregate, STR("all"));
    struct json j = json_write(out);
    json_begin_object(&j);
    bool is_added =
        str_eq(question->columns, STR("all"))
            ? add_measures(a, &j, version, &request, is_all, rows, err)
            : add_named(a, &j, version, &request, is_all, question->columns, rows, err);
    json_end_object(&j);
    return is_added;
}

bool
get_stats(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct statistics_question question = {
        .columns = request_text(request, "column"),
        .aggregate = request_text(request, "aggregate"),
        .percentiles = request_text(request, "percentiles"),
        .ddof = (unsigned)request_integer(request, "ddof"),
        .is_unbiased = !request_boolean(request, "bias"),
    };
    struct selection s;
    struct bitmap rows;
    if (!selection_open(app, request, request_path_value(request, "dataset"), 0,
                        request_text(request, "q"), &s, err) ||
        !filter_run(request->arena, s.query.filter, s.version, app_deadline_us(app, request),
                    &rows, err))
        return false;
    struct json j = object_begin(response);
    json_key(&j, "data");
    if (!statistics_add(request->arena, &response->body, s.version, &question, &rows, err))
        return false;
    j.needs_comma = true;
    json_key(&j, "meta");
    json_begin_object(&j);
    json_member_u64(&j, "total", bitmap_count(&rows));
    json_member_i64(&j, "version", s.version->info.number);
    page_end(&j);
    /* Only now, when nothing of the question turned out to be wrong. */
    response_is_known(response, selection_etag(request->arena, s.version, "stats"));
    return true;
}
