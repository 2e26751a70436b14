/* What read.h offers on a value.  Not in read.c, because json-c's headers and write.h both
 * declare json_bool. */
#include "base/num.h"
#include "json/read.h"
#include "json/write.h"

#include <inttypes.h>

const struct json_value *
json_get(const struct json_value *object, const char *key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->child_count; i++)
        if (str_eq(object->children[i].key, str_from(key)))
            return &object->children[i];
    return NULL;
}

const struct json_value *
json_get_given(const struct json_value *object, const char *key)
{
    const struct json_value *v = json_get(object, key);
    return v && v->kind != JSON_NULL ? v : NULL;
}

bool
json_as_str(const struct json_value *v, struct str *out)
{
    if (!v || v->kind != JSON_STRING)
        return false;
    *out = v->text;
    return true;
}

bool
json_as_i64(const struct json_value *v, int64_t *out)
{
    return v && v->kind == JSON_NUMBER && num_parse_whole(v->text, out);
}

struct str
json_as_form(struct arena *a, const struct json_value *v)
{
    int64_t number;
    return json_as_i64(v, &number) ? arena_printf(a, "%" PRId64, number) : v->text;
}

static void
add_value(struct json *j, const struct json_value *v)
{
    switch (v->kind) {
    case JSON_STRING:
        json_str(j, v->text);
        return;
    case JSON_OBJECT:
        json_begin_object(j);
        for (size_t i = 0; i < v->child_count; i++) {
            json_key_str(j, v->children[i].key);
            add_value(j, &v->children[i]);
        }
        json_end_object(j);
        return;
    case JSON_ARRAY:
        json_begin_array(j);
        for (size_t i = 0; i < v->child_count; i++)
            add_value(j, &v->children[i]);
        json_end_array(j);
        return;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
        json_raw(j, v->text);
        return;
    }
}

void
json_add_value(struct buf *out, const struct json_value *v)
{
    struct json j = json_write(out);
    add_value(&j, v);
}
