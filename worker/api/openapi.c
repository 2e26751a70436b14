/* The table says what there is, openapi.yaml what it is good for.  Everything that follows from a
 * row is made here: the path with and without /v1, parameters, security, the answers that any such
 * route may give. */
#include "api/openapi.h"

#include "api/app.h"
#include "api/openapi_words.h"

#include <ctype.h>
#include <string.h>

/* ---- parameters ---- */

static void
add_default(struct json *j, const struct route_param *p)
{
    struct str value = str_from(p->fallback);
    json_key(j, "default");
    if (p->type == PARAM_INTEGER || p->type == PARAM_BOOLEAN)
        json_raw(j, value);
    else
        json_str(j, value);
}

static void
add_schema(struct json *j, const struct route_param *p)
{
    bool is_number = p->type == PARAM_INTEGER;
    json_key(j, "schema");
    json_begin_object(j);
    json_member_str(
        j, "type",
        str_from(request_param_type_name(p->type == PARAM_WORD ? PARAM_TEXT : p->type)));
    if (is_number || p->type == PARAM_TEXT) {
        json_member_i64(j, is_number ? "minimum" : "minLength", p->min);
        json_member_i64(j, is_number ? "maximum" : "maxLength", p->max);
    }
    if (p->type == PARAM_WORD)
        openapi_add_list(j, "enum", str_from(p->words));
    if (p->fallback)
        add_default(j, p);
    json_end_object(j);
}

static void
add_param(struct openapi_writer *w, const struct route *route, const struct route_param *p)
{
    struct json *j = &w->json;
    const struct yaml_node *example = openapi_query_words(w, route, p->name, "example");
    json_begin_object(j);
    json_member_str(j, "name", str_from(p->name));
    json_member_str(j, "in", STR("query"));
    openapi_add_help(w, route, p);
    add_schema(j, p);
    if (example) {
        json_key(j, "example");
        openapi_add_node(w, example);
    }
    json_end_object(j);
}

/* Parameters that are not declared have names of their own: one that is an object stands for
 * them. */
static void
add_parameters(struct openapi_writer *w, const struct route *route)
{
    struct json *j = &w->json;
    const struct yaml_node *headers = yaml_get(openapi_words_of(w, route), "headers");
    if (!route->param_count && !headers && !(route->flags & ROUTE_TAKES_FILTERS))
        return;
    json_key(j, "parameters");
    json_begin_array(j);
    for (size_t i = 0; i < route->param_count; i++)
        add_param(w, route, &route->params[i]);
    for (const struct yaml_node *h = headers ? headers->first : NULL; h; h = h->next)
        openapi_add_reference(j, "parameters", h->text);
    if (route->flags & ROUTE_TAKES_FILTERS)
        openapi_add_reference(j, "parameters", STR("filters"));
    json_end_array(j);
}

/* ---- who may call ---- */

static bool
takes_token(const struct route *route)
{
    return route->flags & (ROUTE_PLAYER | ROUTE_MAY_BE_PLAYER);
}

static bool
is_public(const struct route *route)
{
    return route->flags & (ROUTE_PUBLIC_DATASET | ROUTE_PUBLIC_LIST);
}

static void
add_way(struct json *j, const char *scheme)
{
    json_begin_object(j);
    if (scheme) {
        json_key(j, scheme);
        json_begin_array(j);
        json_end_array(j);
    }
    json_end_object(j);
}

static void
add_security(struct json *j, const struct route *route)
{
    json_key(j, "security");
    json_begin_array(j);
    if (is_public(route) || route->flags & ROUTE_MAY_BE_PLAYER)
        add_way(j, NULL);
    if (takes_token(route))
        add_way(j, "player_token");
    if (route->scope != SCOPE_NONE)
        add_way(j, "api_key");
    json_end_array(j);
}

static void
add_access(struct json *j, const struct route *route)
{
    json_member_str(j, "x-scope", str_from(http_scope_name(route->scope)));
    if (is_public(route))
        json_member_bool(j, "x-public", true);
    if (route->flags & ROUTE_TAKES_FILTERS)
        json_member_bool(j, "x-filters", true);
    if (takes_token(route))
        json_member_str(j, "x-player",
                        route->flags & ROUTE_PLAYER ? STR("required") : STR("optional"));
    if (route->flags & ROUTE_AT_ROOT)
        json_member_bool(j, "x-at-root", true);
    add_security(j, route);
}

/* ---- answers ---- */

static bool
has_forms(const struct route *route)
{
    for (size_t i = 0; i < route->param_count; i++)
        if (strcmp(route->params[i].name, "format") == 0)
            return true;
    return false;
}

/* What any route of the kind may answer, where the operation has no other words on the status;
 * and what may come in place of any answer: a refusal of nginx itself, or of a service in
 * distress. */
static void
add_refusals(struct json *j, const struct route *route, const struct yaml_node *otherwise)
{
    const struct {
        const char *status, *response;
        bool comes;
    } refusals[] = {
        {"400", "bad_parameter", true},
        {"401", "unauthorized", route->scope != SCOPE_NONE || takes_token(route)},
        {"403", "forbidden", route->scope > SCOPE_READ},
        {"406", "not_acceptable", has_forms(route)},
        {"413", "too_large", route->body->bytes_max > 0},
        {"429", "too_many", route->zone != ZONE_NONE},
        {"default", "refusal", true},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        if (!refusals[i].comes || yaml_get(otherwise, refusals[i].status))
            continue;
        json_key(j, refusals[i].status);
        openapi_add_reference(j, "responses", str_from(refusals[i].response));
    }
}

/* A word stands for the component of that name. */
static void
add_answers(struct openapi_writer *w, const struct yaml_node *answers)
{
    struct json *j = &w->json;
    for (const struct yaml_node *a = answers ? answers->first : NULL; a; a = a->next) {
        json_key_str(j, a->key);
        if (a->kind == YAML_SCALAR)
            openapi_add_reference(j, "responses", a->text);
        else
            openapi_add_node(w, a);
    }
}

static void
add_responses(struct openapi_writer *w, const struct route *route)
{
    struct json *j = &w->json;
    const struct yaml_node *words = openapi_words_of(w, route);
    const struct yaml_node *otherwise = yaml_get(words, "otherwise");
    json_key(j, "responses");
    json_begin_object(j);
    add_answers(w, yaml_get(words, "responses"));
    add_answers(w, otherwise);
    add_refusals(j, route, otherwise);
    json_end_object(j);
}

/* ---- the document ---- */

/* Ids are unique, so the one at the root gets an ending. */
static bool
add_operation(struct openapi_writer *w, const struct route *route, bool to_root,
              struct err *err)
{
    static const char *const AS_WRITTEN[] = {"tags", "summary", "description", "requestBody"};
    struct json *j = &w->json;
    const struct yaml_node *words = openapi_words_of(w, route);
    if (!words)
        return err_set(err, ERR_INVALID, "openapi.yaml: no words on %s", route->operation);
    json_begin_object(j);
    json_member_str(
        j, "operationId",
        arena_printf(&w->arena, "%s%s", route->operation, to_root ? "_at_root" : ""));
    for (size_t i = 0; i < COUNT_OF(AS_WRITTEN); i++) {
        const struct yaml_node *member = yaml_get(words, AS_WRITTEN[i]);
        if (!member)
            continue;
        json_key(j, AS_WRITTEN[i]);
        openapi_add_node(w, member);
    }
    add_access(j, route);
    add_parameters(w, route);
    add_responses(w, route);
    json_end_object(j);
    return true;
}

static void
add_names(struct json *j, const char *pattern)
{
    if (!strchr(pattern, '{'))
        return;
    json_key(j, "parameters");
    json_begin_array(j);
    for (struct str rest = str_from(pattern); rest.p;) {
        struct str segment = str_cut(&rest, '/');
        if (router_is_name(segment))
            openapi_add_reference(j, "parameters", str_slice(segment, 1, segment.n - 1));
    }
    json_end_array(j);
}

/* All rows of the path of `first`. */
static bool
add_path(struct openapi_writer *w, const struct route *first, bool to_root, struct err *err)
{
    struct json *j = &w->json;
    json_key(j, to_root ? router_root_pattern(first) : first->pattern);
    json_begin_object(j);
    add_names(j, first->pattern);
    for (const struct route *route = first; route < ROUTES + ROUTE_COUNT; route++) {
        if (strcmp(route->pattern, first->pattern) != 0)
            continue;
        char method[16] = {0};
        for (size_t i = 0; http_method_name(route->method)[i]; i++)
            method[i] = (char)tolower((unsigned char)http_method_name(route->method)[i]);
        json_key(j, method);
        if (!add_operation(w, route, to_root, err))
            return false;
    }
    json_end_object(j);
    return true;
}

static bool
add_paths(struct openapi_writer *w, struct err *err)
{
    json_key(&w->json, "paths");
    json_begin_object(&w->json);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!router_is_first_of_path(ROUTES, i))
            continue;
        if (!add_path(w, &ROUTES[i], false, err) ||
            (ROUTES[i].flags & ROUTE_AT_ROOT && !add_path(w, &ROUTES[i], true, err)))
            return false;
    }
    json_end_object(&w->json);
    return true;
}

/* One without `in` is a name of a path. */
static void
add_shared_parameters(struct openapi_writer *w, const struct yaml_node *parameters)
{
    struct json *j = &w->json;
    json_begin_object(j);
    for (const struct yaml_node *p = parameters->first; p; p = p->next) {
        json_key_str(j, p->key);
        json_begin_object(j);
        if (!yaml_get(p, "in")) {
            json_member_str(j, "name", p->key);
            json_member_str(j, "in", STR("path"));
            json_member_bool(j, "required", true);
        }
        openapi_add_members(w, p);
        json_end_object(j);
    }
    json_end_object(j);
}

static void
add_components(struct openapi_writer *w, const struct yaml_node *components)
{
    struct json *j = &w->json;
    json_begin_object(j);
    for (const struct yaml_node *kind = components->first; kind; kind = kind->next) {
        json_key_str(j, kind->key);
        if (str_eq(kind->key, STR("parameters")))
            add_shared_parameters(w, kind);
        else
            openapi_add_node(w, kind);
    }
    json_end_object(j);
}

static bool
add_document(struct openapi_writer *w, struct err *err)
{
    struct json *j = &w->json;
    json_begin_object(j);
    for (const struct yaml_node *part = w->root->first; part; part = part->next) {
        if (str_eq(part->key, STR("operations"))) {
            if (!add_paths(w, err))
                return false;
        } else if (str_eq(part->key, STR("components"))) {
            json_key_str(j, part->key);
            add_components(w, part);
        } else if (!str_eq(part->key, STR("query"))) {
            json_key_str(j, part->key);
            openapi_add_node(w, part);
        }
    }
    json_end_object(j);
    return true;
}

static void
free_writer(struct openapi_writer *w)
{
    arena_free(&w->arena);
}

bool
openapi_add_json(struct buf *out, struct err *err)
{
    struct str name = STR("openapi.yaml");
    const struct embed_file *file = embed_find(EMBED_OPENAPI, EMBED_OPENAPI_COUNT, name);
    if (!file)
        return err_set(err, ERR_INTERNAL, "the binary was built without openapi.yaml");
    SCOPED(free_writer) struct openapi_writer w = {.json = json_write(out)};
    return yaml_read(&w.arena, name, file->text, &w.root, err) && add_document(&w, err) &&
           (!out->is_full || err_set(err, ERR_INTERNAL, "the API's description is too large"));
}
