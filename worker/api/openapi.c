/* The table says what there is, openapi.yaml what it is good for.  Everything that follows from
 * a row is made here: the path with and without /v1, parameters, security, the answers that any
 * such route may give.  YAML's plain scalars become what YAML 1.2's core schema says they are;
 * quoted ones stay strings, so that status codes as keys and "true" as an example do too. */
#include "api/openapi.h"

#include "api/app.h"
#include "config/yaml.h"
#include "import/options.h"
#include "json/write.h"

#include <ctype.h>
#include <string.h>

struct openapi_writer {
    struct json json;
    struct arena *arena;
    const struct yaml_node *root; /* of openapi.yaml */
};

/* {"$ref": "#/components/KIND/NAME"} */
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

/* Words that are separated by blanks, as an array. */
static void
add_list(struct json *j, const char *key, struct str words)
{
    json_member_begin_array(j, key);
    for (struct str rest = words; rest.p;)
        json_str(j, str_cut(&rest, ' '));
    json_end_array(j);
}

/* What is said of the route; NULL for nothing. */
static const struct yaml_node *
words_of(const struct openapi_writer *w, const struct route *route)
{
    return yaml_get(yaml_get(w->root, "operations"), route->operation);
}

/* ---- parameters ---- */

/* `member` of what is said of a parameter: of the operation, else of all of that name. */
static const struct yaml_node *
query_words(const struct openapi_writer *w, const struct route *route, const char *name,
            const char *member)
{
    const struct yaml_node *own =
        yaml_get(yaml_get(yaml_get(words_of(w, route), "query"), name), member);
    return own ? own : yaml_get(yaml_get(yaml_get(w->root, "query"), name), member);
}

/* What is said of the parameter, else its help as a sentence, whose first word stays as it is
 * where it is no plain word but something that is typed. */
static void
add_description(struct openapi_writer *w, const struct route *route,
                const struct route_param *p)
{
    scoped_buf sentence;
    buf_init(&sentence, 4 * KIB);
    const struct yaml_node *words = query_words(w, route, p->name, "description");
    size_t letters = strspn(p->help, "abcdefghijklmnopqrstuvwxyz");
    bool is_plain = letters > 0 && (p->help[letters] == ' ' || p->help[letters] == ',');
    buf_add_char(&sentence, is_plain ? (char)toupper((unsigned char)p->help[0]) : p->help[0]);
    buf_add(&sentence, str_from(p->help + 1));
    if (!str_ends(buf_str(&sentence), STR(".")))
        buf_add_char(&sentence, '.');
    json_member_str(&w->json, "description", words ? words->text : buf_str(&sentence));
}

/* What a member may be in JSON; a form has texts alone. */
static struct str
json_types_of(const char *name)
{
    static const struct {
        const char *name, *types;
    } OPTIONS[] = {
#define X(option, type, min, max, words, json, help) {#option, json},
        IMPORT_OPTIONS(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(OPTIONS); i++)
        if (strcmp(OPTIONS[i].name, name) == 0)
            return str_from(OPTIONS[i].types);
    return STR("string");
}

/* The parameters of an operation, as the properties of a body that takes them as fields or
 * members too. */
static void
add_fields(struct openapi_writer *w, struct str operation)
{
    struct json *j = &w->json;
    const struct route *route = ROUTES;
    while (route < ROUTES + ROUTE_COUNT && !str_eq(operation, str_from(route->operation)))
        route++;
    assert(route < ROUTES + ROUTE_COUNT); /* what openapi.yaml names is ours */
    for (size_t i = 0; i < route->param_count; i++) {
        const struct route_param *p = &route->params[i];
        struct str types = json_types_of(p->name);
        bool is_text = str_eq(types, STR("string"));
        json_key(j, p->name);
        json_begin_object(j);
        if (is_text)
            json_member_str(j, "type", types);
        else
            add_list(j, "type", types);
        if (str_starts(types, STR("array")))
            json_member_raw(j, "items", STR("{\"type\":\"string\"}"));
        if (is_text && p->words)
            add_list(j, "enum", str_from(p->words));
        add_description(w, route, p);
        json_end_object(j);
    }
}

/* As it stands in openapi.yaml. */
static void
add_node(struct openapi_writer *w, const struct yaml_node *node)
{
    struct json *j = &w->json;
    bool truth;
    if (node->kind == YAML_MAPPING) {
        json_begin_object(j);
        for (const struct yaml_node *m = node->first; m; m = m->next) {
            if (str_eq(m->key, STR("x-fields-of"))) {
                add_fields(w, m->text);
                continue;
            }
            json_key_str(j, m->key);
            add_node(w, m);
        }
        json_end_object(j);
    } else if (node->kind == YAML_SEQUENCE) {
        json_begin_array(j);
        for (const struct yaml_node *item = node->first; item; item = item->next)
            add_node(w, item);
        json_end_array(j);
    } else if (yaml_is_null(node)) {
        json_null(j);
    } else if (yaml_as_bool(node, &truth)) {
        json_bool(j, truth);
    } else if (yaml_is_number(node)) {
        json_raw(j, node->text);
    } else {
        json_str(j, node->text);
    }
}

static void
add_schema(struct json *j, const struct route_param *p)
{
    bool is_number = p->type == PARAM_INTEGER;
    json_member_begin_object(j, "schema");
    json_member_str(
        j, "type",
        str_from(request_param_type_name(p->type == PARAM_WORD ? PARAM_TEXT : p->type)));
    if (is_number || p->type == PARAM_TEXT) {
        json_member_i64(j, is_number ? "minimum" : "minLength", p->min);
        json_member_i64(j, is_number ? "maximum" : "maxLength", p->max);
    }
    if (p->type == PARAM_WORD)
        add_list(j, "enum", str_from(p->words));
    if (p->fallback && (is_number || p->type == PARAM_BOOLEAN))
        json_member_raw(j, "default", str_from(p->fallback));
    else if (p->fallback)
        json_member_str(j, "default", str_from(p->fallback));
    json_end_object(j);
}

static void
add_param(struct openapi_writer *w, const struct route *route, const struct route_param *p)
{
    struct json *j = &w->json;
    const struct yaml_node *example = query_words(w, route, p->name, "example");
    json_begin_object(j);
    json_member_str(j, "name", str_from(p->name));
    json_member_str(j, "in", STR("query"));
    add_description(w, route, p);
    add_schema(j, p);
    if (example) {
        json_key(j, "example");
        add_node(w, example);
    }
    json_end_object(j);
}

/* Parameters that are not declared have names of their own: one that is an object stands for
 * them. */
static void
add_parameters(struct openapi_writer *w, const struct route *route)
{
    struct json *j = &w->json;
    const struct yaml_node *headers = yaml_get(words_of(w, route), "headers");
    if (!route->param_count && !headers && !(route->flags & ROUTE_TAKES_FILTERS))
        return;
    json_member_begin_array(j, "parameters");
    for (size_t i = 0; i < route->param_count; i++)
        add_param(w, route, &route->params[i]);
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
    json_member_begin_array(j, "security");
    if (is_public(route) || route->flags & ROUTE_MAY_BE_PLAYER)
        json_raw(j, STR("{}"));
    if (takes_token(route))
        json_raw(j, STR("{\"player_token\":[]}"));
    if (route->scope != SCOPE_NONE)
        json_raw(j, STR("{\"api_key\":[]}"));
    json_end_array(j);
}

/* ---- answers ---- */

/* What any route of the kind may answer, where the operation has no other words on the status;
 * and what may come in place of any answer: a refusal of nginx itself, or of a service in
 * distress. */
static void
add_refusals(struct json *j, const struct route *route, const struct yaml_node *otherwise)
{
    bool has_forms = false;
    for (size_t i = 0; i < route->param_count; i++)
        has_forms = has_forms || strcmp(route->params[i].name, "format") == 0;
    const struct {
        const char *status, *response;
        bool comes;
    } refusals[] = {
        {"400", "bad_parameter", true},
        {"401", "unauthorized", route->scope != SCOPE_NONE || takes_token(route)},
        {"403", "forbidden", route->scope > SCOPE_READ},
        {"406", "not_acceptable", has_forms},
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

/* What the operation says itself; there a word stands for the component of that name. */
static void
add_responses(struct openapi_writer *w, const struct route *route)
{
    struct json *j = &w->json;
    const struct yaml_node *words = words_of(w, route);
    const struct yaml_node *otherwise = yaml_get(words, "otherwise");
    const struct yaml_node *said[] = {yaml_get(words, "responses"), otherwise};
    json_member_begin_object(j, "responses");
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        for (const struct yaml_node *a = said[i] ? said[i]->first : NULL; a; a = a->next) {
            json_key_str(j, a->key);
            if (a->kind == YAML_SCALAR)
                add_reference(j, "responses", a->text);
            else
                add_node(w, a);
        }
    }
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
    const struct yaml_node *words = words_of(w, route);
    if (!words)
        return err_set(err, ERR_INVALID, "openapi.yaml: no words on %s", route->operation);
    json_begin_object(j);
    json_member_str(
        j, "operationId",
        arena_printf(w->arena, "%s%s", route->operation, to_root ? "_at_root" : ""));
    for (size_t i = 0; i < COUNT_OF(AS_WRITTEN); i++) {
        const struct yaml_node *member = yaml_get(words, AS_WRITTEN[i]);
        if (!member)
            continue;
        json_key(j, AS_WRITTEN[i]);
        add_node(w, member);
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
    json_member_begin_array(j, "parameters");
    for (struct str rest = str_from(pattern); rest.p;) {
        struct str segment = str_cut(&rest, '/');
        if (router_is_name(segment))
            add_reference(j, "parameters", str_slice(segment, 1, segment.n - 1));
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
    json_member_begin_object(&w->json, "paths");
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

static bool
add_document(struct openapi_writer *w, struct err *err)
{
    struct json *j = &w->json;
    json_begin_object(j);
    for (const struct yaml_node *part = w->root->first; part; part = part->next) {
        if (str_eq(part->key, STR("operations"))) {
            if (!add_paths(w, err))
                return false;
        } else if (!str_eq(part->key, STR("query"))) {
            json_key_str(j, part->key);
            add_node(w, part);
        }
    }
    json_end_object(j);
    return true;
}

bool
openapi_add_json(struct buf *out, struct err *err)
{
    struct str name = STR("openapi.yaml");
    const struct embed_file *file = embed_find(EMBED_OPENAPI, EMBED_OPENAPI_COUNT, name);
    if (!file)
        return err_set(err, ERR_INTERNAL, "the binary was built without openapi.yaml");
    scoped_arena arena = {0};
    struct openapi_writer w = {.json = json_write(out), .arena = &arena};
    return yaml_read(&arena, name, file->text, &w.root, err) && add_document(&w, err) &&
           (!out->is_full || err_set(err, ERR_INTERNAL, "the API's description is too large"));
}
