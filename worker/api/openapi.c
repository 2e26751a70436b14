/* The table says what there is, openapi.yaml what it is good for.  Everything that follows from a
 * row is made here: the path with and without /v1, parameters, security, the answers that any such
 * route may give.  YAML's plain scalars become what YAML 1.2's core schema says they are; quoted
 * ones stay strings, so that status codes as keys and "true" as an example do too. */
#include "api/openapi.h"

#include "api/app.h"
#include "base/embed.h"
#include "config/yaml.h"
#include "json/write.h"

#include <ctype.h>
#include <string.h>

struct description {
    struct json json;
    struct arena arena;
    const struct yaml_node *root;
};

static void
add_scalar(struct json *j, const struct yaml_node *node)
{
    bool truth;
    if (yaml_is_null(node))
        json_null(j);
    else if (yaml_as_bool(node, &truth))
        json_bool(j, truth);
    else if (yaml_is_number(node))
        json_raw(j, node->text);
    else
        json_str(j, node->text);
}

static void
add_node(struct json *j, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        add_scalar(j, node);
        return;
    }
    bool is_mapping = node->kind == YAML_MAPPING;
    if (is_mapping)
        json_begin_object(j);
    else
        json_begin_array(j);
    for (const struct yaml_node *child = node->first; child; child = child->next) {
        if (is_mapping)
            json_key_str(j, child->key);
        add_node(j, child);
    }
    if (is_mapping)
        json_end_object(j);
    else
        json_end_array(j);
}

static const struct yaml_node *
find_words(const struct description *d, const struct route *route)
{
    return yaml_get(yaml_get(d->root, "operations"), route->operation);
}

static void
add_reference(struct json *j, const char *kind, struct str name)
{
    scoped_buf to;
    buf_init(&to, KIB);
    buf_printf(&to, "#/components/%s/%" STR_FMT, kind, STR_ARG(name));
    json_begin_object(j);
    json_member_str(j, "$ref", buf_str(&to));
    json_end_object(j);
}

/* A help text as a sentence.  Its first word stays as it is where it is no plain word but
 * something that is typed. */
static void
add_sentence(struct json *j, const char *help)
{
    scoped_buf text;
    buf_init(&text, 4 * KIB);
    size_t letters = strspn(help, "abcdefghijklmnopqrstuvwxyz");
    bool is_plain = letters > 0 && (help[letters] == ' ' || help[letters] == ',');
    buf_add_char(&text, is_plain ? (char)toupper((unsigned char)help[0]) : help[0]);
    buf_add(&text, str_from(help + 1));
    if (!str_ends(str_from(help), STR(".")))
        buf_add_char(&text, '.');
    json_member_str(j, "description", buf_str(&text));
}

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
add_words(struct json *j, const char *words)
{
    json_key(j, "enum");
    json_begin_array(j);
    for (struct str rest = str_from(words); rest.p;)
        json_str(j, str_cut(&rest, ' '));
    json_end_array(j);
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
        add_words(j, p->words);
    if (p->fallback)
        add_default(j, p);
    json_end_object(j);
}

/* Of the operation, else those on every parameter of the name. */
static const struct yaml_node *
find_query_words(const struct description *d, const struct route *route, const char *name,
                 const char *member)
{
    const struct yaml_node *own =
        yaml_get(yaml_get(yaml_get(find_words(d, route), "query"), name), member);
    return own ? own : yaml_get(yaml_get(yaml_get(d->root, "query"), name), member);
}

static void
add_param(struct description *d, const struct route *route, const struct route_param *p)
{
    struct json *j = &d->json;
    const struct yaml_node *text = find_query_words(d, route, p->name, "description");
    const struct yaml_node *example = find_query_words(d, route, p->name, "example");
    json_begin_object(j);
    json_member_str(j, "name", str_from(p->name));
    json_member_str(j, "in", STR("query"));
    if (text)
        json_member_str(j, "description", text->text);
    else
        add_sentence(j, p->help);
    add_schema(j, p);
    if (example) {
        json_key(j, "example");
        add_node(j, example);
    }
    json_end_object(j);
}

/* Parameters that are not declared have names of their own: one that is an object stands for
 * them. */
static void
add_parameters(struct description *d, const struct route *route)
{
    struct json *j = &d->json;
    const struct yaml_node *headers = yaml_get(find_words(d, route), "headers");
    if (!route->param_count && !headers && !(route->flags & ROUTE_TAKES_FILTERS))
        return;
    json_key(j, "parameters");
    json_begin_array(j);
    for (size_t i = 0; i < route->param_count; i++)
        add_param(d, route, &route->params[i]);
    for (const struct yaml_node *h = headers ? headers->first : NULL; h; h = h->next)
        add_reference(j, "parameters", h->text);
    if (route->flags & ROUTE_TAKES_FILTERS)
        add_reference(j, "parameters", STR("filters"));
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
        add_reference(j, "responses", str_from(refusals[i].response));
    }
}

/* A word stands for the component of that name. */
static void
add_answers(struct json *j, const struct yaml_node *answers)
{
    for (const struct yaml_node *a = answers ? answers->first : NULL; a; a = a->next) {
        json_key_str(j, a->key);
        if (a->kind == YAML_SCALAR)
            add_reference(j, "responses", a->text);
        else
            add_node(j, a);
    }
}

static void
add_responses(struct description *d, const struct route *route)
{
    struct json *j = &d->json;
    const struct yaml_node *words = find_words(d, route);
    const struct yaml_node *otherwise = yaml_get(words, "otherwise");
    json_key(j, "responses");
    json_begin_object(j);
    add_answers(j, yaml_get(words, "responses"));
    add_answers(j, otherwise);
    add_refusals(j, route, otherwise);
    json_end_object(j);
}

/* ---- the document ---- */

/* Ids are unique, so the one at the root gets an ending. */
static bool
add_operation(struct description *d, const struct route *route, bool to_root, struct err *err)
{
    static const char *const AS_WRITTEN[] = {"tags", "summary", "description", "requestBody"};
    struct json *j = &d->json;
    const struct yaml_node *words = find_words(d, route);
    if (!words)
        return err_set(err, ERR_INVALID, "openapi.yaml: no words on %s", route->operation);
    json_begin_object(j);
    json_member_str(
        j, "operationId",
        arena_printf(&d->arena, "%s%s", route->operation, to_root ? "_at_root" : ""));
    for (size_t i = 0; i < COUNT_OF(AS_WRITTEN); i++) {
        const struct yaml_node *member = yaml_get(words, AS_WRITTEN[i]);
        if (!member)
            continue;
        json_key(j, AS_WRITTEN[i]);
        add_node(j, member);
    }
    add_access(j, route);
    add_parameters(d, route);
    add_responses(d, route);
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
            add_reference(j, "parameters", str_slice(segment, 1, segment.n - 1));
    }
    json_end_array(j);
}

/* All rows of the path of `first`. */
static bool
add_path(struct description *d, const struct route *first, bool to_root, struct err *err)
{
    struct json *j = &d->json;
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
        if (!add_operation(d, route, to_root, err))
            return false;
    }
    json_end_object(j);
    return true;
}

static bool
add_paths(struct description *d, struct err *err)
{
    json_key(&d->json, "paths");
    json_begin_object(&d->json);
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!router_is_first_of_path(ROUTES, i))
            continue;
        if (!add_path(d, &ROUTES[i], false, err) ||
            (ROUTES[i].flags & ROUTE_AT_ROOT && !add_path(d, &ROUTES[i], true, err)))
            return false;
    }
    json_end_object(&d->json);
    return true;
}

/* One without `in` is a name of a path. */
static void
add_shared_parameters(struct json *j, const struct yaml_node *parameters)
{
    json_begin_object(j);
    for (const struct yaml_node *p = parameters->first; p; p = p->next) {
        json_key_str(j, p->key);
        json_begin_object(j);
        if (!yaml_get(p, "in")) {
            json_member_str(j, "name", p->key);
            json_member_str(j, "in", STR("path"));
            json_member_bool(j, "required", true);
        }
        for (const struct yaml_node *m = p->first; m; m = m->next) {
            json_key_str(j, m->key);
            add_node(j, m);
        }
        json_end_object(j);
    }
    json_end_object(j);
}

static void
add_components(struct json *j, const struct yaml_node *components)
{
    json_begin_object(j);
    for (const struct yaml_node *kind = components->first; kind; kind = kind->next) {
        json_key_str(j, kind->key);
        if (str_eq(kind->key, STR("parameters")))
            add_shared_parameters(j, kind);
        else
            add_node(j, kind);
    }
    json_end_object(j);
}

static bool
add_document(struct description *d, struct err *err)
{
    struct json *j = &d->json;
    json_begin_object(j);
    for (const struct yaml_node *part = d->root->first; part; part = part->next) {
        if (str_eq(part->key, STR("operations"))) {
            if (!add_paths(d, err))
                return false;
        } else if (str_eq(part->key, STR("components"))) {
            json_key_str(j, part->key);
            add_components(j, part);
        } else if (!str_eq(part->key, STR("query"))) {
            json_key_str(j, part->key);
            add_node(j, part);
        }
    }
    json_end_object(j);
    return true;
}

static void
free_description(struct description *d)
{
    arena_free(&d->arena);
}

bool
openapi_add_json(struct buf *out, struct err *err)
{
    struct str name = STR("openapi.yaml");
    const struct embed_file *file = embed_find(EMBED_OPENAPI, EMBED_OPENAPI_COUNT, name);
    if (!file)
        return err_set(err, ERR_INTERNAL, "the binary was built without openapi.yaml");
    SCOPED(free_description) struct description d = {.json = json_write(out)};
    return yaml_read(&d.arena, name, file->text, &d.root, err) && add_document(&d, err) &&
           (!out->is_full || err_set(err, ERR_INTERNAL, "the API's description is too large"));
}
