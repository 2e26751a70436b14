/* See openapi.h.  An operation that is at the root too is described once, under its /v1 path;
 * the path without is made here.  YAML's plain scalars become what YAML 1.2's core schema says
 * they are; quoted ones stay strings, so that status codes as keys and "true" as an example do
 * too. */
#include "api/openapi.h"

#include "base/embed.h"
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

static struct yaml_node *
copy_node(struct arena *a, const struct yaml_node *node)
{
    struct yaml_node *copy = arena_new(a, struct yaml_node);
    *copy = *node;
    return copy;
}

/* Ids are unique, so the one of the copy gets an ending. */
static struct yaml_node *
root_operation(struct arena *a, const struct yaml_node *operation)
{
    struct yaml_node *out = copy_node(a, operation), **end = &out->first;
    for (const struct yaml_node *m = operation->first; m; m = m->next) {
        *end = copy_node(a, m);
        if (str_eq(m->key, STR("operationId")))
            (*end)->text = arena_printf(a, "%" STR_FMT "_at_root", STR_ARG(m->text));
        end = &(*end)->next;
    }
    return out;
}

/* What of a path is at the root too, under its name there; NULL for nothing. */
static struct yaml_node *
root_path(struct arena *a, const struct yaml_node *path)
{
    struct yaml_node *out = copy_node(a, path), **end = &out->first;
    bool has_operation = false, is_at_root;
    out->key = str_skip(path->key, strlen("/v1"));
    for (const struct yaml_node *m = path->first; m; m = m->next) {
        const struct yaml_node *mark = yaml_get(m, "x-at-root");
        is_at_root = mark && yaml_as_bool(mark, &is_at_root) && is_at_root;
        if (!is_at_root && !str_eq(m->key, STR("parameters")))
            continue;
        has_operation |= is_at_root;
        *end = is_at_root ? root_operation(a, m) : copy_node(a, m);
        end = &(*end)->next;
    }
    *end = NULL;
    return has_operation ? out : NULL;
}

static void
add_paths(struct json *j, struct arena *a, const struct yaml_node *paths)
{
    json_begin_object(j);
    for (const struct yaml_node *path = paths->first; path; path = path->next) {
        const struct yaml_node *at_root = root_path(a, path);
        json_key_str(j, path->key);
        add_node(j, path);
        if (at_root) {
            json_key_str(j, at_root->key);
            add_node(j, at_root);
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
