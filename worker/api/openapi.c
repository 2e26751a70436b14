/* What would stand in the YAML again and again is made here: the path without
 * /v1 of an operation that is at the root too, the parameter that stands for filters, the
 * response `default`.  YAML's plain scalars become what YAML 1.2's core schema says they are;
 * quoted ones stay strings, so that status codes as keys and "true" as an example do too. */
#include "api/openapi.h"

#include "config/yaml.h"
#include "json/write.h"

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

static bool
is_marked(const struct yaml_node *operation, const char *name)
{
    const struct yaml_node *mark = yaml_get(operation, name);
    bool is_so;
    return mark && yaml_as_bool(mark, &is_so) && is_so;
}

static void
add_reference(struct json *j, const char *to)
{
    json_begin_object(j);
    json_key(j, "$ref");
    json_str(j, str_from(to));
    json_end_object(j);
}

/* Parameters that are not listed have names of their own: one that is an object stands for
 * them. */
static void
add_parameters(struct json *j, const struct yaml_node *parameters, bool takes_filters)
{
    json_begin_array(j);
    for (const struct yaml_node *p = parameters->first; p; p = p->next)
        add_node(j, p);
    if (takes_filters)
        add_reference(j, "#/components/parameters/filters");
    json_end_array(j);
}

/* Those that the operation names, and what may come in place of any: a refusal of nginx itself,
 * or of a service in distress. */
static void
add_responses(struct json *j, const struct yaml_node *responses)
{
    json_begin_object(j);
    for (const struct yaml_node *r = responses->first; r; r = r->next) {
        json_key_str(j, r->key);
        add_node(j, r);
    }
    json_key(j, "default");
    add_reference(j, "#/components/responses/refusal");
    json_end_object(j);
}

/* Ids are unique, so the one at the root gets an ending. */
static void
add_operation(struct json *j, struct arena *a, const struct yaml_node *operation, bool to_root)
{
    json_begin_object(j);
    for (const struct yaml_node *m = operation->first; m; m = m->next) {
        json_key_str(j, m->key);
        if (str_eq(m->key, STR("parameters")))
            add_parameters(j, m, is_marked(operation, "x-filters"));
        else if (str_eq(m->key, STR("responses")))
            add_responses(j, m);
        else if (to_root && str_eq(m->key, STR("operationId")))
            json_str(j, arena_printf(a, "%" STR_FMT "_at_root", STR_ARG(m->text)));
        else
            add_node(j, m);
    }
    json_end_object(j);
}

/* All of a path, or what of it is at the root too. */
static void
add_path(struct json *j, struct arena *a, const struct yaml_node *path, bool to_root)
{
    json_begin_object(j);
    for (const struct yaml_node *m = path->first; m; m = m->next) {
        bool is_operation = !str_eq(m->key, STR("parameters"));
        if (is_operation && to_root && !is_marked(m, "x-at-root"))
            continue;
        json_key_str(j, m->key);
        if (is_operation)
            add_operation(j, a, m, to_root);
        else
            add_node(j, m);
    }
    json_end_object(j);
}

static void
add_paths(struct json *j, struct arena *a, const struct yaml_node *paths)
{
    json_begin_object(j);
    for (const struct yaml_node *path = paths->first; path; path = path->next) {
        json_key_str(j, path->key);
        add_path(j, a, path, false);
        bool has_root = false;
        for (const struct yaml_node *m = path->first; m; m = m->next)
            has_root |= is_marked(m, "x-at-root");
        if (has_root) {
            json_key_str(j, str_skip(path->key, strlen("/v1")));
            add_path(j, a, path, true);
        }
    }
    json_end_object(j);
}

static void
add_document(struct json *j, struct arena *a, const struct yaml_node *root)
{
    json_begin_object(j);
    for (const struct yaml_node *part = root->first; part; part = part->next) {
        json_key_str(j, part->key);
        if (str_eq(part->key, STR("paths")))
            add_paths(j, a, part);
        else
            add_node(j, part);
    }
    json_end_object(j);
}

bool
openapi_add_json(struct buf *out, struct err *err)
{
    struct str name = STR("openapi.yaml");
    const struct embed_file *file = embed_find(EMBED_OPENAPI, EMBED_OPENAPI_COUNT, name);
    if (!file)
        return err_set(err, ERR_INTERNAL, "the binary was built without openapi.yaml");
    scoped_arena arena = {0};
    const struct yaml_node *root;
    if (!yaml_read(&arena, name, file->text, &root, err))
        return false;
    struct json j = json_write(out);
    add_document(&j, &arena, root);
    return !out->is_full || err_set(err, ERR_INTERNAL, "the API's description is too large");
}
