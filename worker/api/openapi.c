/* See openapi.h.  YAML's plain scalars become what YAML 1.2's core schema says they are; quoted
 * ones stay strings, so that status codes as keys and "true" as an example do too. */
#include "api/openapi.h"

#include "base/embed.h"
#include "config/yaml.h"
#include "json/write.h"

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
    add_node(&j, root);
    return !out->is_full || err_set(err, ERR_INTERNAL, "the API's description is too large");
}
