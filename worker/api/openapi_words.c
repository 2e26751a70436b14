#include "api/openapi_words.h"

#include "api/app.h"
#include "import/options.h"

#include <ctype.h>
#include <string.h>

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

const struct yaml_node *
openapi_words_of(const struct openapi_writer *w, const struct route *route)
{
    return yaml_get(yaml_get(w->root, "operations"), route->operation);
}

const struct yaml_node *
openapi_query_words(const struct openapi_writer *w, const struct route *route, const char *name,
                    const char *member)
{
    const struct yaml_node *own =
        yaml_get(yaml_get(yaml_get(openapi_words_of(w, route), "query"), name), member);
    return own ? own : yaml_get(yaml_get(yaml_get(w->root, "query"), name), member);
}

/* Its first word stays as it is where it is no plain word but something that is typed. */
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

void
openapi_add_list(struct json *j, const char *key, struct str words)
{
    json_key(j, key);
    json_begin_array(j);
    for (struct str rest = words; rest.p;)
        json_str(j, str_cut(&rest, ' '));
    json_end_array(j);
}

void
openapi_add_help(struct openapi_writer *w, const struct route *route,
                 const struct route_param *p)
{
    const struct yaml_node *text = openapi_query_words(w, route, p->name, "description");
    if (text)
        json_member_str(&w->json, "description", text->text);
    else
        add_sentence(&w->json, p->help);
}

/* What a member may be in JSON; a form has texts alone. */
static const char *
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
            return OPTIONS[i].types;
    return "string";
}

static void
add_field(struct openapi_writer *w, const struct route *route, const struct route_param *p)
{
    struct json *j = &w->json;
    struct str types = str_from(json_types_of(p->name));
    bool is_text = str_eq(types, STR("string"));
    json_key(j, p->name);
    json_begin_object(j);
    if (is_text)
        json_member_str(j, "type", types);
    else
        openapi_add_list(j, "type", types);
    if (str_starts(types, STR("array")))
        json_member_raw(j, "items", STR("{\"type\":\"string\"}"));
    if (is_text && p->words)
        openapi_add_list(j, "enum", str_from(p->words));
    openapi_add_help(w, route, p);
    json_end_object(j);
}

static const struct route *
find_route(struct str operation)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if (str_eq(operation, str_from(ROUTES[i].operation)))
            return &ROUTES[i];
    assert(!"x-fields-of names no route");
    return NULL;
}

/* The properties written in a schema, and behind them the parameters of a route, which its body
 * takes as fields or members too. */
static void
add_fields(struct openapi_writer *w, const struct yaml_node *properties, struct str operation)
{
    const struct route *route = find_route(operation);
    json_begin_object(&w->json);
    openapi_add_members(w, properties);
    for (size_t i = 0; i < route->param_count; i++)
        add_field(w, route, &route->params[i]);
    json_end_object(&w->json);
}

void
openapi_add_members(struct openapi_writer *w, const struct yaml_node *mapping)
{
    const struct yaml_node *route = yaml_get(mapping, "x-fields-of");
    for (const struct yaml_node *m = mapping->first; m; m = m->next) {
        if (m == route)
            continue;
        json_key_str(&w->json, m->key);
        if (route && str_eq(m->key, STR("properties")))
            add_fields(w, m, route->text);
        else
            openapi_add_node(w, m);
    }
}

void
openapi_add_node(struct openapi_writer *w, const struct yaml_node *node)
{
    struct json *j = &w->json;
    switch (node->kind) {
    case YAML_SCALAR:
        add_scalar(j, node);
        return;
    case YAML_SEQUENCE:
        json_begin_array(j);
        for (const struct yaml_node *item = node->first; item; item = item->next)
            openapi_add_node(w, item);
        json_end_array(j);
        return;
    case YAML_MAPPING:
        json_begin_object(j);
        openapi_add_members(w, node);
        json_end_object(j);
        return;
    }
}

void
openapi_add_reference(struct json *j, const char *kind, struct str name)
{
    scoped_buf to;
    buf_init(&to, KIB);
    buf_printf(&to, "#/components/%s/%" STR_FMT, kind, STR_ARG(name));
    json_begin_object(j);
    json_member_str(j, "$ref", buf_str(&to));
    json_end_object(j);
}
