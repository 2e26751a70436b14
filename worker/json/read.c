/* Three steps.  json_scan refuses what is not strict JSON and records where every value lies.
 * json-c, given only valid text, unescapes strings and finds members.  Then json-c's tree and
 * the marks are walked together, since both hold the values in the order of the text.
 *
 * json-c keeps the last of two equal keys, so an object with fewer members than were written
 * has a duplicate, however its key was escaped.  Its numbers are not used: it clamps integers,
 * and the marks give the text.  Its strict mode is off: it adds nothing to the scan, and that
 * of 0.18 (Debian 13) refuses every byte beyond ASCII. */
#include "json/read.h"

#include "json/scan.h"

#include <json-c/json.h>

static void
put_object(struct json_object **object)
{
    json_object_put(*object);
}
#define scoped_object SCOPED(put_object) struct json_object *

static bool
parse_by_library(struct str text, struct json_object **out, struct err *err)
{
    if (text.n >= INT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "the JSON has %zu bytes, more than 2 GiB", text.n);
    struct json_tokener *tokener = json_tokener_new_ex(JSON_READ_DEPTH_MAX + 2);
    assert(tokener);
    /* The length includes the NUL after the text, which ends a bare number. */
    *out = json_tokener_parse_ex(tokener, text.p, (int)text.n + 1);
    enum json_tokener_error problem = json_tokener_get_error(tokener);
    json_tokener_free(tokener);
    if (problem != json_tokener_success)
        return err_set(err, ERR_MALFORMED, "the JSON is wrong: %s",
                       json_tokener_error_desc(problem));
    return true;
}

struct build {
    struct arena *arena;
    struct str text;
    const struct json_mark *next;
    struct err *err;
};

static bool build_value(struct build *b, struct json_object *object, struct json_value *out);

static bool
build_members(struct build *b, const struct json_mark *mark, struct json_object *object,
              struct json_value *children)
{
    if ((size_t)json_object_object_length(object) != mark->child_count)
        return err_set(b->err, ERR_MALFORMED,
                       "the JSON object at byte %zu has the same key more than once",
                       mark->from);
    size_t i = 0;
    json_object_object_foreach(object, key, member)
    {
        children[i].key = arena_str(b->arena, str_from(key));
        if (!build_value(b, member, &children[i++]))
            return false;
    }
    return true;
}

static bool
build_value(struct build *b, struct json_object *object, struct json_value *out)
{
    const struct json_mark *mark = b->next++;
    out->kind = mark->kind;
    out->boolean = mark->boolean;
    out->source = out->text = str_slice(b->text, mark->from, mark->to);
    if (mark->kind == JSON_STRING)
        out->text =
            arena_str(b->arena, (struct str){json_object_get_string(object),
                                             (size_t)json_object_get_string_len(object)});
    if (mark->child_count == 0)
        return true;
    struct json_value *children = arena_array(b->arena, mark->child_count, struct json_value);
    out->children = children;
    out->child_count = mark->child_count;
    if (mark->kind == JSON_OBJECT)
        return build_members(b, mark, object, children);
    for (size_t i = 0; i < mark->child_count; i++)
        if (!build_value(b, json_object_array_get_idx(object, i), &children[i]))
            return false;
    return true;
}

bool
json_read(struct arena *a, struct str text, const struct json_value **out, struct err *err)
{
    text = arena_str(a, text); /* values point into it, and json-c needs the NUL after it */
    const struct json_mark *marks;
    if (!json_scan(a, text, &marks, err))
        return false;
    scoped_object root = NULL;
    if (!parse_by_library(text, &root, err))
        return false;
    struct build build = {.arena = a, .text = text, .next = marks, .err = err};
    struct json_value *value = arena_new(a, struct json_value);
    if (!build_value(&build, root, value))
        return false;
    *out = value;
    return true;
}
