/* Groups of a dataset's rows, and facets: the most frequent values of columns. */
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
    if (!groups_parse(request->arena, &s->ask.version->schema, &text, question, err))
        return false;
    s->query.binding = question->hash;
    return selection_read_limit(request, format, "groups", s, err) &&
           selection_use_cursor(s, err);
}

static bool
answer_page(const struct request *request, struct response *response, struct selection *s,
            const struct groups_result *result, struct err *err)
{
    struct json j = page_begin(response);
    for (size_t i = 0; i < result->group_count; i++) {
        struct groups_group group;
        if (i)
            buf_add_char(&response->body, ',');
        if (!s->ask.engine->group(&s->ask, result, i, &group, err))
            return false;
        groups_add_json_row(&response->body, result->question, &group);
    }
    selection_begin_meta(&j, s, request, response, result->total, result->group_count,
                         result->has_more);
    json_member_u64(&j, "rows", result->row_count);
    selection_end(&j, s);
    return true;
}

static bool
stream_groups(const struct request *request, struct response *response, struct selection *s,
              const struct groups_result *result, enum export_format format, struct err *err)
{
    struct buf *out = &response->body;
    bool is_raw = request_boolean(request, "raw");
    if (!selection_begin_stream(s, response, format, "-groups", result->total, err))
        return false;
    if (!response_wants_body(response))
        return true;
    if (format == EXPORT_CSV)
        groups_add_csv_header(out, result->question);
    for (size_t i = 0; i < result->group_count; i++) {
        struct groups_group group;
        if (!s->ask.engine->group(&s->ask, result, i, &group, err))
            return false;
        if (format == EXPORT_CSV) {
            groups_add_csv_row(out, result->question, &group, is_raw);
        } else {
            groups_add_json_row(out, result->question, &group);
            buf_add_char(out, '\n');
        }
        if (!response_flush_stream(response, err))
            return false;
    }
    return true;
}

bool
list_groups(struct app *app, struct request *request, struct response *response,
            struct err *err)
{
    struct groups_question *question = arena_new(request->arena, struct groups_question);
    enum export_format format;
    struct selection s;
    struct groups_result result;
    if (!format_choose(request, response, true, &format, err) ||
        !selection_open(app, request, request_text(request, "q"),
                        request_text(request, "cursor"), &s, err) ||
        !read_question(request, format, &s, question, err))
        return false;
    if (selection_is_known(&s, response, format_name(format)))
        return true;
    if (!app->engine->groups(&s.ask, question, s.query.offset, s.query.limit, &result, err))
        return false;
    if (format == EXPORT_JSON)
        return answer_page(request, response, &s, &result, err);
    return stream_groups(request, response, &s, &result, format, err);
}

/* ---- facets ---- */

static bool
parse_facets(const struct request *request, const struct schema *schema,
             struct groups_question **out, size_t *out_count, struct err *err)
{
    struct arena *a = request->arena;
    struct str names = request_text(request, "column");
    size_t count = 0, count_max = 1;
    for (size_t i = 0; i < names.n; i++)
        count_max += names.p[i] == ',';
    struct groups_question *questions = arena_array(a, count_max, struct groups_question);
    do { /* also of no name, which is refused */
        struct str name = str_trim(str_cut(&names, ','));
        bool was_said = false;
        for (size_t i = 0; i < count; i++)
            was_said = was_said || str_eq(questions[i].keys[0].label, name);
        if (was_said)
            continue; /* named twice, shown once */
        struct groups_text text = {.by_name = "column", .by = name, .sort = STR("-count()")};
        if (!groups_parse(a, schema, &text, &questions[count], err))
            return false;
        questions[count++].group_count_max = GROUPS_VALUES_MAX;
    } while (names.p);
    *out = questions;
    *out_count = count;
    return true;
}

/* "genres": {"total": groups, "has_more": .., "values": [{"value": .., "count": ..}, ..]} */
static bool
add_facet(struct json *j, const struct selection *s, const struct groups_question *question,
          uint64_t limit, struct err *err)
{
    scoped_arena a = {0}; /* each takes some bytes per row */
    struct ask ask = s->ask;
    struct groups_result result;
    ask.arena = &a;
    if (!ask.engine->groups(&ask, question, 0, limit, &result, err))
        return false;
    json_key_str(j, question->keys[0].label);
    json_begin_object(j);
    json_member_u64(j, "total", result.total);
    json_member_bool(j, "has_more", result.has_more);
    json_member_begin_array(j, "values");
    for (size_t i = 0; i < result.group_count; i++) {
        struct groups_group group;
        if (!ask.engine->group(&ask, &result, i, &group, err))
            return false;
        json_begin_object(j);
        json_key(j, "value");
        groups_write_key(j, &question->keys[0], &group.keys[0]);
        json_member_u64(j, "count", group.row_count);
        json_end_object(j);
    }
    json_end_array(j);
    json_end_object(j);
    return true;
}

bool
get_facets(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct selection s;
    struct groups_question *questions;
    size_t count;
    uint64_t total;
    if (!selection_open(app, request, request_text(request, "q"), STR(""), &s, err) ||
        !parse_facets(request, &s.ask.version->schema, &questions, &count, err))
        return false;
    struct json j = object_begin(response);
    if (selection_is_known(&s, response, "facets"))
        return true;
    /* The rows that it finds are there for every facet. */
    if (!app->engine->count(&s.ask, &total, err))
        return false;
    json_member_begin_object(&j, "data");
    for (size_t i = 0; i < count; i++)
        if (!add_facet(&j, &s, &questions[i], (uint64_t)request_integer(request, "limit"), err))
            return false;
    json_end_object(&j);
    json_member_begin_object(&j, "meta");
    json_member_u64(&j, "total", total);
    selection_end(&j, &s);
    return true;
}
