#include "api/statistics.h"

#include "api/handlers.h"
#include "api/object.h"

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

bool
statistics_parse(struct arena *a, const struct schema *schema,
                 const struct statistics_text *text, struct statistics_question *out,
                 struct err *err)
{
    struct statistics_question question = {0};
    size_t *columns = arena_array(a, schema->column_count, size_t), index;
    bool *is_named = arena_array(a, schema->column_count, bool);
    bool is_every = str_eq(text->aggregate, STR("all"));
    if (!stats_parse(a, text->aggregate, text->percentiles, text->ddof, text->is_unbiased,
                     &question.stats, err))
        return false;
    if (str_eq(text->columns, STR("all"))) {
        for (index = 0; index < schema->column_count; index++)
            if (schema->columns[index].is_measure)
                columns[question.column_count++] = index;
    } else {
        for (struct str names = text->columns; names.p;) {
            if (!find_column(schema, str_trim(str_cut(&names, ',')), &index, err))
                return false;
            if (!is_named[index]) /* twice would be a key given twice */
                columns[question.column_count++] = index;
            is_named[index] = true;
        }
    }
    for (size_t i = 0; i < question.column_count; i++)
        if (!stats_check(&question.stats, &schema->columns[columns[i]], is_every, err))
            return false;
    question.columns = columns;
    *out = question;
    return true;
}

bool
statistics_add(struct json *j, struct selection *s, const struct statistics_question *question,
               struct err *err)
{
    json_begin_object(j);
    for (size_t i = 0; i < question->column_count; i++) {
        size_t column = question->columns[i];
        struct stats_answer answer;
        if (!s->ask.engine->stats(&s->ask, column, &question->stats, &answer, err))
            return false;
        json_key_str(j, s->ask.version->schema.columns[column].name);
        if (!stats_add_json(j->out, &answer, err))
            return false;
        j->needs_comma = true;
    }
    json_end_object(j);
    return true;
}

bool
get_stats(struct app *app, struct request *request, struct response *response, struct err *err)
{
    struct statistics_text text = {
        .columns = request_text(request, "column"),
        .aggregate = request_text(request, "aggregate"),
        .percentiles = request_text(request, "percentiles"),
        .ddof = (unsigned)request_integer(request, "ddof"),
        .is_unbiased = !request_boolean(request, "bias"),
    };
    struct statistics_question question;
    struct selection s;
    uint64_t total;
    if (!selection_open(app, request, request_text(request, "q"), STR(""), &s, err) ||
        !statistics_parse(request->arena, &s.ask.version->schema, &text, &question, err))
        return false;
    struct json j = object_begin(response);
    if (selection_is_known(&s, response, "stats"))
        return true;
    if (!app->engine->count(&s.ask, &total, err))
        return false;
    json_key(&j, "data");
    if (!statistics_add(&j, &s, &question, err))
        return false;
    json_member_begin_object(&j, "meta");
    json_member_u64(&j, "total", total);
    selection_end(&j, &s);
    return true;
}
