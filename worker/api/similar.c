/* Likeness: rows like a row, titles like a text, and the short form of the first. */
#include "query/similar.h"
#include "api/access.h"
#include "api/handlers.h"
#include "api/object.h"
#include "api/page.h"
#include "api/selection.h"
#include "base/num.h"
#include "query/export.h"
#include "query/titles.h"

static const struct str GAMES = STR_INIT(ACCESS_SHORT_FORM_DATASET);

/* The columns to show: those asked for, else key and title. */
static bool
choose_fields(const struct request *request, struct selection *s, struct err *err)
{
    const struct schema *schema = &s->version->schema;
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
find_subject(struct app *app, const struct request *request, const struct selection *s,
             struct title_match *out, struct err *err)
{
    struct str name = request_text(request, "name"), key = request_text(request, "key");
    if (request_has(request, "name") == request_has(request, "key"))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("name"),
                            "say which row: either name= (a title) or key=");
    if (!key.n)
        return titles_resolve(request->arena, s->version, name, app_deadline_us(app, request),
                              out, err);
    out->score = 1;
    int found = query_find_key(s->version, key, &out->row, err);
    if (found == 0)
        return err_set_name(err, ERR_NOT_FOUND, NULL, STR("key"),
                            "dataset '%" STR_FMT "' has no row '%" STR_FMT "'",
                            STR_ARG(s->version->dataset.name), STR_ARG(key));
    return found > 0;
}

/* ..."row": {...}} */
static bool
add_row(struct json *j, const struct selection *s, uint64_t row, struct err *err)
{
    json_key(j, "row");
    if (!export_add_json_row(j->out, s->version, &s->query, row, false, NULL, err))
        return false;
    json_end_object(j);
    return true;
}

static bool
add_match(struct json *j, const struct selection *s, const struct similar_match *match,
          struct err *err)
{
    json_begin_object(j);
    json_member_f64(j, "similarity_score", match->score);
    json_key(j, "shared_terms");
    json_begin_array(j);
    for (size_t i = 0; i < match->term_count; i++)
        json_str(j, match->terms[i]);
    json_end_array(j);
    return add_row(j, s, match->row, err);
}

static bool
add_title(struct json *j, const struct selection *s, const struct title_match *match,
          struct err *err)
{
    json_begin_object(j);
    json_member_f64(j, "score", match->score);
    return add_row(j, s, match->row, err);
}

/* The rows that the filters leave; NULL for all, when there is no filter. */
static bool
run_filters(struct app *app, const struct request *request, const struct selection *s,
            struct bitmap **out, struct err *err)
{
    *out = NULL;
    if (request->filter_count == 0)
        return true;
    *out = arena_new(request->arena, struct bitmap);
    return filter_run(request->arena, s->query.filter, s->version,
                      app_deadline_us(app, request), *out, err);
}

static bool
find_similar(struct app *app, const struct request *request, const struct selection *s,
             uint64_t row, struct similar_match **out, size_t *out_count, struct err *err)
{
    struct bitmap *candidates;
    return run_filters(app, request, s, &candidates, err) &&
           similar_find(request->arena, s->version, row, candidates,
                        (uint64_t)request_integer(request, "limit"),
                        app_deadline_us(app, request), out, out_count, err);
}

bool
list_similar(struct app *app, struct request *request, struct response *response,
             struct err *err)
{
    struct selection s;
    struct title_match subject;
    struct similar_match *matches;
    size_t count;
    if (!selection_open(app, request, request_path_value(request, "dataset"), 0,
                        (struct str){NULL, 0}, &s, err) ||
        !choose_fields(request, &s, err))
        return false;
    if (response_is_known(response, selection_etag(request->arena, s.version, "similar")))
        return true;
    if (!find_subject(app, request, &s, &subject, err) ||
        !find_similar(app, request, &s, subject.row, &matches, &count, err))
        return false;
    struct json j = page_begin(response);
    for (size_t i = 0; i < count; i++)
        if (!add_match(&j, &s, &matches[i], err))
            return false;
    page_begin_meta(&j, request, response, (struct str){NULL, 0});
    json_key(&j, "closest_match");
    if (!add_title(&j, &s, &subject, err))
        return false;
    json_member_i64(&j, "version", s.version->info.number);
    page_end(&j);
    return true;
}

bool
search_titles(struct app *app, struct request *request, struct response *response,
              struct err *err)
{
    struct selection s;
    struct title_match *matches;
    struct bitmap *among;
    size_t count;
    if (!selection_open(app, request, request_path_value(request, "dataset"), 0,
                        (struct str){NULL, 0}, &s, err) ||
        !choose_fields(request, &s, err))
        return false;
    if (response_is_known(response, selection_etag(request->arena, s.version, "search")))
        return true;
    if (!run_filters(app, request, &s, &among, err) ||
        !titles_search(request->arena, s.version, request_text(request, "name"), among,
                       (uint64_t)request_integer(request, "limit"),
                       app_deadline_us(app, request), &matches, &count, err))
        return false;
    struct json j = page_begin(response);
    for (size_t i = 0; i < count; i++)
        if (!add_title(&j, &s, &matches[i], err))
            return false;
    page_begin_meta(&j, request, response, (struct str){NULL, 0});
    json_member_i64(&j, "version", s.version->info.number);
    page_end(&j);
    return true;
}

/* ---- the short form ---- */

static bool
add_games(struct json *j, const struct selection *s, const struct similar_match *matches,
          size_t count, struct err *err)
{
    json_key(j, "similar_games");
    json_begin_array(j);
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_add_char(j->out, ',');
        if (!export_add_json_row(j->out, s->version, &s->query, matches[i].row, false, NULL,
                                 err))
            return false;
        /* The score stands beside the columns: the object is opened again for it. */
        j->out->n--;
        buf_add_lit(j->out, ",\"similarity_score\":");
        num_add_f64(j->out, matches[i].score);
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
    struct title_match subject;
    struct similar_match *matches;
    size_t count;
    if (!selection_open(app, request, GAMES, 0, (struct str){NULL, 0}, &s, err) ||
        !query_parse_fields(request->arena, &s.version->schema,
                            STR("app_id,name,release_date,price"), &s.query, err))
        return false;
    if (response_is_known(response, selection_etag(request->arena, s.version, "games")))
        return true;
    if (!titles_resolve(request->arena, s.version, request_text(request, "name"),
                        app_deadline_us(app, request), &subject, err) ||
        !find_similar(app, request, &s, subject.row, &matches, &count, err))
        return false;
    struct json j = object_begin(response);
    json_key(&j, "closest_match");
    if (!export_add_json_row(&response->body, s.version, &s.query, subject.row, false, NULL,
                             err))
        return false;
    j.needs_comma = true;
    if (!add_games(&j, &s, matches, count, err))
        return false;
    object_end(&j);
    return true;
}
