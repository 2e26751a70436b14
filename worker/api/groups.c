/* Groups of a dataset's rows, and facets: the most frequent values of columns. */
#include "query/groups.h"

#include "api/format.h"
#include "api/handlers.h"
#include "api/object.h"
#include "api/page.h"
#include "api/selection.h"

/* The question and the page of it that is asked for. */
static bool
read_question(const struct request *request, enum export_format format, struct selection *s,
              struct groups_question *question, struct err *err)
{
    struct groups_text text = {
        .by_name = "by",
        .by = request_text(request, "by"),
        .aggregate = request_text(request, "aggregate"),
        .having = request_text(request, "having"),
        .sort = request_text(request, "sort"),
        .ddof = (unsigned)request_integer(request, "ddof"),
        .is_unbiased = !request_boolean(request, "bias"),
    };
    struct str cursor = request_text(request, "cursor");
    bool has_limit = format == EXPORT_JSON || request_has(request, "limit");
    if (!groups_parse(request->arena, &s->version->schema, &text, question, err))
        return false;
    s->query.limit = has_limit ? (uint64_t)request_integer(request, "limit") : 0;
    s->query.binding = question->hash;
    if (format == EXPORT_JSON && s->query.limit > QUERY_LIMIT_MAX)
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("limit"),
                            "limit is at most %d groups of JSON, got %zu; format=csv and "
                            "format=ndjson have no such bound",
                            QUERY_LIMIT_MAX, (size_t)s->query.limit);
    return cursor.n == 0 || query_use_cursor(&s->query, cursor, s->version->info.number, err);
}

static bool
answer_page(const struct request *request, struct response *response, const struct selection *s,
            const struct groups_result *result, uint64_t row_count, struct err *err)
{
    struct json j = page_begin(response);
    struct str cursor = {NULL, 0};
    for (size_t i = 0; i < result->group_count; i++) {
        if (i)
            buf_add_char(&response->body, ',');
        if (!groups_add_json_row(&response->body, result, i, err))
            return false;
    }
    if (result->has_more)
        cursor = query_make_cursor(request->arena, &s->query, s->version->info.number,
                                   s->query.offset + result->group_count);
    page_begin_meta(&j, request, response, cursor);
    json_member_u64(&j, "total", result->total);
    json_member_u64(&j, "rows", row_count);
    json_member_i64(&j, "version", s->version->info.number);
    page_end(&j);
    return true;
}

static bool
add_line(struct response *response, const struct groups_result *result, size_t i,
         enum export_format format, bool is_raw, struct err *err)
{
    if (format == EXPORT_CSV)
        return groups_add_csv_row(&response->body, result, i, is_raw, err);
    if (!groups_add_json_row(&response->body, result, i, err))
        return false;
    buf_add_char(&response->body, '\n');
    return true;
}

static bool
stream_groups(const struct request *request, struct response *response,
              const struct groups_result *result, enum export_format format, struct err *err)
{
    bool is_raw = request_boolean(request, "raw");
    response_header(response, "X-Total-Count", "%zu", (size_t)result->total);
    response_header(response, "Content-Disposition",
                    "attachment; filename=\"%" STR_FMT "-groups.%s\"",
                    STR_ARG(result->version->dataset.name), format_name(format));
    if (!response_begin_stream(response, format_media_type(format), err))
        return false;
    if (!response_wants_body(response))
        return true;
    if (format == EXPORT_CSV)
        groups_add_csv_header(&response->body, result->question);
    for (size_t i = 0; i < result->group_count; i++)
        if (!add_line(response, result, i, format, is_raw, err) ||
            !response_flush_stream(response, err))
            return false;
    return true;
}

bool
list_groups(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct arena *a = request->arena;
    struct groups_question *question = arena_new(a, struct groups_question);
    enum export_format format;
    struct selection s;
    struct groups_result result;
    struct bitmap rows;
    struct str cursor = request_text(request, "cursor");
    uint64_t deadline_us = app_deadline_us(app, request);
    int64_t version = 0;
    if (!format_choose(request, response, true, &format, err) ||
        (cursor.n && !query_cursor_version(cursor, &version, err)) ||
        !selection_open(app, request, request_path_value(request, "dataset"), version,
                        request_text(request, "q"), &s, err) ||
        !read_question(request, format, &s, question, err))
        return false;
    if (response_is_known(response, selection_etag(a, s.version, format_name(format))))
        return true;
    if (!filter_run(a, s.query.filter, s.version, deadline_us, &rows, err) ||
        !groups_run(a, question, s.version, &rows, s.query.offset, s.query.limit, deadline_us,
                    &result, err))
        return false;
    if (format == EXPORT_JSON)
        return answer_page(request, response, &s, &result, bitmap_count(&rows), err);
    return stream_groups(request, response, &result, format, err);
}

/* ---- facets ---- */

static bool
parse_facet(struct arena *a, const struct version *version, struct str column,
            struct groups_question *question, struct err *err)
{
    struct groups_text text = {.by_name = "column", .by = column, .sort = STR("-count()")};
    if (!groups_parse(a, &version->schema, &text, question, err))
        return false;
    question->group_count_max = GROUPS_VALUES_MAX;
    return true;
}

/* "genres": {"total": groups, "has_more": .., "values": [{"value": .., "count": ..}, ..]} */
static bool
add_facet(struct json *j, const struct groups_result *result, struct err *err)
{
    json_key_str(j, result->question->keys[0].label);
    json_begin_object(j);
    json_member_u64(j, "total", result->total);
    json_member_bool(j, "has_more", result->has_more);
    json_key(j, "values");
    json_begin_array(j);
    for (size_t i = 0; i < result->group_count; i++) {
        json_begin_object(j);
        json_key(j, "value");
        if (!groups_write_key(j, result, i, 0, err))
            return false;
        json_member_u64(j, "count", groups_row_count(result, i));
        json_end_object(j);
    }
    json_end_array(j);
    json_end_object(j);
    return true;
}

static bool
add_facets(struct app *app, const struct request *request, struct json *j,
           const struct selection *s, const struct bitmap *rows, struct err *err)
{
    struct str names = request_text(request, "column");
    struct str *seen = arena_array(request->arena, names.n + 1, struct str);
    size_t seen_count = 0;
    do {                      /* also of no name, which is refused */
        scoped_arena a = {0}; /* each takes some bytes per row */
        struct groups_question *question = arena_new(&a, struct groups_question);
        struct groups_result result;
        struct str name = str_trim(str_cut(&names, ','));
        bool was_said = false;
        for (size_t i = 0; i < seen_count; i++)
            was_said = was_said || str_eq(seen[i], name);
        if (was_said)
            continue; /* named twice, shown once */
        seen[seen_count++] = name;
        if (!parse_facet(&a, s->version, name, question, err) ||
            !groups_run(&a, question, s->version, rows, 0,
                        (uint64_t)request_integer(request, "limit"),
                        app_deadline_us(app, request), &result, err) ||
            !add_facet(j, &result, err))
            return false;
    } while (names.p);
    return true;
}

bool
get_facets(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct selection s;
    struct bitmap rows;
    if (!selection_open(app, request, request_path_value(request, "dataset"), 0,
                        request_text(request, "q"), &s, err) ||
        !filter_run(request->arena, s.query.filter, s.version, app_deadline_us(app, request),
                    &rows, err))
        return false;
    struct json j = object_begin(response);
    json_key(&j, "data");
    json_begin_object(&j);
    if (!add_facets(app, request, &j, &s, &rows, err))
        return false;
    json_end_object(&j);
    json_key(&j, "meta");
    json_begin_object(&j);
    json_member_u64(&j, "total", bitmap_count(&rows));
    json_member_i64(&j, "version", s.version->info.number);
    page_end(&j);
    /* Only now, when nothing of the question turned out to be wrong. */
    response_is_known(response, selection_etag(request->arena, s.version, "facets"));
    return true;
}
