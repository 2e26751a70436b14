/* Similarity: rows like a row, titles like a text, and the short form of the first. */
#include "api/handlers.h"
#include "api/object.h"
#include "api/page.h"
#include "api/selection.h"
#include "base/num.h"

/* The columns to show: those asked for, else key and title. */
static bool
choose_fields(const struct request *request, struct selection *s, struct err *err)
{
    const struct schema *schema = &s->ask.version->schema;
    struct str asked = request_text(request, "fields");
    if (asked.n)
        return query_parse_fields(request->arena, schema, asked, &s->query, err);
    size_t *fields = arena_array(request->arena, 2, size_t), count = 0;
    if (schema->key_index != SCHEMA_ROW_NUMBER)
        fields[count++] = schema->key_index;
    if (schema->title_index != SCHEMA_ROW_NUMBER && schema->title_index != schema->key_index)
        fields[count++] = schema->title_index;
    s->query.fields = fields;
    s->query.field_count = count;
    return true;
}

/* The row that is meant, by title or by key. */
static bool
find_subject(const struct request *request, struct selection *s, struct titles_match *out,
             struct err *err)
{
    struct str name = request_text(request, "name"), text = request_text(request, "key");
    const struct version *version = s->ask.version;
    struct value key;
    if (request_has(request, "name") == request_has(request, "key"))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("name"),
                            "say which row: either name= (a title) or key=");
    if (!text.n)
        return titles_resolve(&s->ask, name, out, err);
    if (!query_parse_key(&version->schema, text, &key, err))
        return false;
    out->score = 1;
    int found = s->ask.engine->find_key(&s->ask, &key, &out->row, err);
    if (found == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("key"),
                            "dataset '%" STR_FMT "' has no row '%" STR_FMT "'",
                            STR_ARG(version->dataset.name), STR_ARG(text));
    return found > 0;
}

static bool
add_row(struct buf *out, struct selection *s, const uint64_t *rows, size_t count, size_t i,
        struct err *err)
{
    const struct value *row;
    if (!s->ask.engine->row(&s->ask, &s->query, rows, count, i, &row, err))
        return false;
    export_add_json_row(out, &s->ask.version->schema, &s->query, row, NULL);
    return true;
}

/* {"score": .., "row": {...}} */
static bool
add_title(struct json *j, struct selection *s, double score, const uint64_t *rows, size_t count,
          size_t i, struct err *err)
{
    json_begin_object(j);
    json_member_f64(j, "score", score);
    json_key(j, "row");
    if (!add_row(j->out, s, rows, count, i, err))
        return false;
    json_end_object(j);
    return true;
}

static bool
add_match(struct json *j, struct selection *s, const struct similar_match *match,
          const uint64_t *rows, size_t count, size_t i, struct err *err)
{
    json_begin_object(j);
    json_member_f64(j, "similarity_score", match->score);
    json_member_begin_array(j, "shared_terms");
    for (size_t term = 0; term < match->term_count; term++)
        json_str(j, match->terms[term]);
    json_end_array(j);
    json_key(j, "row");
    if (!add_row(j->out, s, rows, count, i, err))
        return false;
    json_end_object(j);
    return true;
}

/* The rows nearest to one, and their numbers. */
struct found {
    struct similar_match *matches;
    uint64_t *rows;
    size_t count;
};

static bool
find_similar(const struct request *request, struct selection *s, uint64_t row,
             struct found *out, struct err *err)
{
    if (!s->ask.engine->similar(&s->ask, row, (uint64_t)request_integer(request, "limit"),
                                &out->matches, &out->count, err))
        return false;
    out->rows = arena_array(request->arena, out->count, uint64_t);
    for (size_t i = 0; i < out->count; i++)
        out->rows[i] = out->matches[i].row;
    return true;
}

bool
list_similar(struct app *app, struct request *request, struct response *response,
             struct err *err)
{
    struct selection s;
    struct titles_match subject;
    struct found found;
    if (!selection_open(app, request, STR(""), STR(""), &s, err) ||
        !choose_fields(request, &s, err))
        return false;
    if (selection_is_known(&s, response, "similar"))
        return true;
    if (!find_subject(request, &s, &subject, err) ||
        !find_similar(request, &s, subject.row, &found, err))
        return false;
    struct json j = page_begin(response);
    for (size_t i = 0; i < found.count; i++)
        if (!add_match(&j, &s, &found.matches[i], found.rows, found.count, i, err))
            return false;
    page_begin_meta(&j, request, response, STR(""));
    json_key(&j, "closest_match");
    if (!add_title(&j, &s, subject.score, &subject.row, 1, 0, err))
        return false;
    selection_end(&j, &s);
    return true;
}

bool
search_titles(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    struct selection s;
    struct titles_match *matches;
    size_t count;
    if (!selection_open(app, request, STR(""), STR(""), &s, err) ||
        !choose_fields(request, &s, err))
        return false;
    if (selection_is_known(&s, response, "search"))
        return true;
    if (!titles_search(&s.ask, request_text(request, "name"),
                       (uint64_t)request_integer(request, "limit"), &matches, &count, err))
        return false;
    uint64_t *rows = arena_array(request->arena, count, uint64_t);
    for (size_t i = 0; i < count; i++)
        rows[i] = matches[i].row;
    struct json j = page_begin(response);
    for (size_t i = 0; i < count; i++)
        if (!add_title(&j, &s, matches[i].score, rows, count, i, err))
            return false;
    page_begin_meta(&j, request, response, STR(""));
    selection_end(&j, &s);
    return true;
}

/* ---- the short form ---- */

static bool
add_games(struct json *j, struct selection *s, const struct found *found, struct err *err)
{
    json_member_begin_array(j, "similar_games");
    for (size_t i = 0; i < found->count; i++) {
        if (i)
            buf_add_char(j->out, ',');
        if (!add_row(j->out, s, found->rows, found->count, i, err))
            return false;
        /* The score stands beside the columns: the object is opened again for it. */
        j->out->n--;
        buf_add_lit(j->out, ",\"similarity_score\":");
        num_add_f64(j->out, found->matches[i].score);
        buf_add_char(j->out, '}');
    }
    json_end_array(j);
    return true;
}

bool
similar_games(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    struct selection s;
    struct titles_match subject;
    struct found found;
    if (!selection_open(app, request, STR(""), STR(""), &s, err) ||
        !query_parse_fields(request->arena, &s.ask.version->schema,
                            STR("app_id,name,release_date,price"), &s.query, err))
        return false;
    if (selection_is_known(&s, response, "games"))
        return true;
    if (!titles_resolve(&s.ask, request_text(request, "name"), &subject, err) ||
        !find_similar(request, &s, subject.row, &found, err))
        return false;
    struct json j = object_begin(response);
    json_key(&j, "closest_match");
    if (!add_row(&response->body, &s, &subject.row, 1, 0, err))
        return false;
    j.needs_comma = true;
    if (!add_games(&j, &s, &found, err))
        return false;
    object_end(&j);
    return true;
}
