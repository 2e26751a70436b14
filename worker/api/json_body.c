#include "api/json_body.h"

#include "base/suggest.h"

bool
json_body_check_type(const struct request *request, struct err *err)
{
    struct str type = request_media_type(request);
    /* What is packed would else be told that it is no JSON. */
    if (type.n == 0 || str_eq(type, STR("application/json")))
        return request_coding(request) == CODING_NONE ||
               err_set_name(err, ERR_MEDIA_TYPE, NULL, STR("Content-Encoding"),
                            "the body is taken as it is here: leave out Content-Encoding, got "
                            "'%" STR_FMT "'",
                            STR_ARG(request->header.content_encoding));
    return err_set(err, ERR_MEDIA_TYPE,
                   "the body is JSON here, and it came as %" STR_FMT
                   "; with curl: -H 'Content-Type: application/json' -d '{...}'",
                   STR_ARG(type));
}

/* "; it has username and password". */
static void
list_names(struct buf *out, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s%s",
                   i == 0          ? "; it has "
                   : i + 1 < count ? ", "
                                   : " and ",
                   names[i]);
}

static bool
refuse_name(struct str key, const char *const *names, size_t count, struct err *err)
{
    struct suggestion near = suggest_begin(key);
    scoped_buf known = {.max = KIB};
    for (size_t i = 0; i < count; i++)
        suggest_offer(&near, str_from(names[i]));
    if (near.best.n == 0)
        list_names(&known, names, count);
    return err_set_name(err, ERR_INVALID, "unknown_member", key,
                        "the body has no member '%" STR_FMT "'%s%" STR_FMT, STR_ARG(key),
                        suggest_text(&near), STR_ARG(buf_str(&known)));
}

bool
json_body_read(const struct request *request, const char *const *names, size_t count,
               const struct json_value **out, struct err *err)
{
    const struct json_value *body;
    if (!json_body_check_type(request, err))
        return false;
    if (request->body.n == 0) { /* its JSON would else be wrong at byte 0 */
        scoped_buf known = {.max = KIB};
        list_names(&known, names, count);
        return err_set(err, ERR_MALFORMED,
                       "the body is empty where a JSON object is needed%" STR_FMT,
                       STR_ARG(buf_str(&known)));
    }
    if (!json_read(request->arena, request->body, &body, err))
        return false;
    if (body->kind != JSON_OBJECT)
        return err_set(err, ERR_INVALID, "the body is a JSON object");
    for (size_t i = 0; i < body->child_count; i++) {
        struct str key = body->children[i].key;
        size_t k = 0;
        while (k < count && !str_eq(key, str_from(names[k])))
            k++;
        if (k == count)
            return refuse_name(key, names, count, err);
    }
    *out = body;
    return true;
}

bool
json_body_str(const struct json_value *body, const char *name, struct str *out, struct err *err)
{
    const struct json_value *v = json_get_given(body, name);
    if (!v)
        return err_set_name(err, ERR_INVALID, "missing_member", str_from(name),
                            "the body needs the member %s", name);
    return json_as_str(v, out) ||
           err_set_name(err, ERR_INVALID, NULL, str_from(name), "%s is a string", name);
}
