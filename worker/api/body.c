/* The media type decides how the body is read; what it is inside (gzip, UTF-16) is
 * found by the importer from the bytes, so Content-Encoding only has to be one that the
 * importer knows. */
#include "api/body.h"

#include "base/fs.h"
#include "http/multipart.h"
#include "json/read.h"

#include <fcntl.h>

#define FORM_BYTES_MAX (64 * KIB) /* of a JSON or urlencoded body: options and a URL */
#define OPTIONS_MAX 32

struct reading {
    struct request *request;
    struct body *body;
    struct str seen[OPTIONS_MAX];
    size_t seen_count;
    struct err *err;
};

static bool
set_option(struct reading *r, struct str given, struct str value)
{
    /* The names of the short form are other words for options of today. */
    struct str name = str_eq(given, STR("altname"))    ? STR("label")
                      : str_eq(given, STR("file_url")) ? STR("url")
                                                       : given;
    for (size_t i = 0; i < r->seen_count; i++)
        if (str_eq(r->seen[i], name))
            return err_set_name(r->err, ERR_BAD_PARAMETER, "duplicate_parameter", given,
                                "the option %" STR_FMT " may be given once", STR_ARG(name));
    if (r->seen_count == OPTIONS_MAX)
        return err_set(r->err, ERR_BAD_PARAMETER, "an import has at most %d options",
                       OPTIONS_MAX);
    r->seen[r->seen_count++] = name;
    return import_option_set(r->request->arena, &r->body->options, name, value, r->err);
}

/* The text of a small body, wherever nginx put it. */
static bool
read_text(struct reading *r, struct str *out)
{
    *out = r->request->body;
    if (!r->request->body_file[0])
        return true;
    scoped_buf text;
    buf_init(&text, FORM_BYTES_MAX);
    scoped_fd fd = fs_open_at(AT_FDCWD, r->request->body_file, O_RDONLY, r->err);
    uint64_t bytes;
    if (fd < 0 || !fs_size(fd, &bytes, r->err))
        return false;
    if (bytes > FORM_BYTES_MAX)
        return err_set(r->err, ERR_TOO_LARGE, "a body of options is at most %zu bytes, got %zu",
                       (size_t)FORM_BYTES_MAX, (size_t)bytes);
    if (!fs_read_file(&text, AT_FDCWD, r->request->body_file, r->err))
        return false;
    *out = arena_str(r->request->arena, buf_str(&text));
    return true;
}

static bool
read_json(struct reading *r)
{
    struct str text;
    const struct json_value *object;
    if (!read_text(r, &text) || !json_read(r->request->arena, text, &object, r->err))
        return false;
    if (object->kind != JSON_OBJECT)
        return err_set(r->err, ERR_INVALID,
                       "the body is an object such as {\"url\": "
                       "\"https://...\"}");
    for (size_t i = 0; i < object->child_count; i++) {
        const struct json_value *member = &object->children[i];
        if (member->kind != JSON_NULL &&
            !set_option(r, member->key, json_as_form(r->request->arena, member)))
            return false;
    }
    return true;
}

static bool
read_form(struct reading *r)
{
    struct str text;
    const struct http_param *params;
    size_t count;
    if (!read_text(r, &text) ||
        !request_decode_query(r->request->arena, text, &params, &count, r->err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!set_option(r, params[i].name, params[i].value))
            return false;
    return true;
}

static bool
require_url(struct reading *r)
{
    if (r->body->options.url.n)
        return true;
    return err_set_name(r->err, ERR_INVALID, "missing_field", STR("url"),
                        "the URL of a CSV file is missing");
}

static bool
refuse_empty(struct err *err)
{
    return err_set_code(err, ERR_INVALID, "empty_file", "the body is empty: there is no CSV");
}

static bool
read_raw(struct reading *r)
{
    if (!r->request->body_file[0])
        return refuse_empty(r->err);
    scoped_fd fd = fs_open_at(AT_FDCWD, r->request->body_file, O_RDONLY, r->err);
    uint64_t bytes;
    if (fd < 0 || !fs_size(fd, &bytes, r->err))
        return false;
    if (bytes == 0)
        return refuse_empty(r->err);
    r->body->path = r->request->body_file;
    r->body->source_name = STR("request body");
    return true;
}

/* The file is the part named file; every other part is an option. */
static bool
read_parts(struct reading *r, const struct multipart *form)
{
    const struct multipart_part *file = NULL;
    for (size_t i = 0; i < form->count; i++) {
        const struct multipart_part *part = &form->parts[i];
        bool is_file = str_eq(part->name, STR("file"));
        if (is_file && file)
            return err_set_name(r->err, ERR_INVALID, "duplicate_field", part->name,
                                "one file can be imported at a time");
        if (is_file)
            file = part;
        else if (!set_option(r, part->name, part->value))
            return false;
    }
    if (!file)
        return err_set_name(r->err, ERR_INVALID, "missing_field", STR("file"),
                            "the form has no field 'file'; use curl -F file=@FILE");
    if (file->value.n == 0)
        return refuse_empty(r->err);
    r->body->path = r->request->body_file;
    r->body->source_offset = file->offset;
    r->body->source_length = file->value.n;
    r->body->source_name = arena_str(r->request->arena, file->filename);
    return true;
}

static bool
read_multipart(struct reading *r)
{
    if (!r->request->body_file[0])
        return refuse_empty(r->err);
    SCOPED(fs_map_close) struct fs_map map = {0};
    scoped_fd fd = fs_open_at(AT_FDCWD, r->request->body_file, O_RDONLY, r->err);
    struct multipart form;
    return fd >= 0 && fs_map_open(&map, fd, r->err) &&
           multipart_parse(r->request->arena, r->request->header.content_type, map.bytes, &form,
                           r->err) &&
           read_parts(r, &form);
}

static bool
refuse_type(const struct request *request, unsigned forms, struct err *err)
{
    const char *right =
        forms & BODY_RAW
            ? "curl -T FILE, curl -F file=@FILE, or curl --data-binary @FILE with -H "
              "'Content-Type: text/csv'; for {\"url\": ...} add -H 'Content-Type: "
              "application/json'"
        : forms & BODY_MULTIPART ? "curl -F file=@FILE"
                                 : "curl -d file_url=URL";
    return err_set(err, ERR_MEDIA_TYPE,
                   "a body of type '%" STR_FMT "' cannot be read here; use %s",
                   STR_ARG(request->header.content_type), right);
}

static bool
is_raw_type(struct str type)
{
    static const char *const TYPES[] = {"",
                                        "text/csv",
                                        "text/plain",
                                        "text/tab-separated-values",
                                        "application/csv",
                                        "application/octet-stream",
                                        "application/gzip",
                                        "application/x-gzip",
                                        "application/vnd.ms-excel"};
    for (size_t i = 0; i < COUNT_OF(TYPES); i++)
        if (str_eq(type, str_from(TYPES[i])))
            return true;
    return false;
}

static bool
check_encoding(const struct request *request, bool may_be_gzip, struct err *err)
{
    enum http_coding coding = request_coding(request);
    if (coding == CODING_NONE || (coding == CODING_GZIP && may_be_gzip))
        return true;
    return err_set(err, ERR_MEDIA_TYPE,
                   "Content-Encoding is gzip or none, and none for anything but a CSV file; "
                   "got '%" STR_FMT "'",
                   STR_ARG(request->header.content_encoding));
}

bool
body_read(struct request *request, unsigned forms, struct body *out, struct err *err)
{
    *out = (struct body){0};
    struct reading r = {.request = request, .body = out, .err = err};
    struct str type = request_media_type(request);
    bool is_form = str_eq(type, STR("application/x-www-form-urlencoded")) ||
                   (request->body.n == 0 && !request->body_file[0] && type.n == 0);
    for (size_t i = 0; i < request->route->param_count; i++)
        if (request->values[i].p &&
            !set_option(&r, str_from(request->route->params[i].name), request->values[i]))
            return false;
    if (forms & BODY_FORM && is_form)
        return check_encoding(request, false, err) && read_form(&r) && require_url(&r);
    if (forms & BODY_JSON && str_eq(type, STR("application/json")))
        return check_encoding(request, false, err) && read_json(&r) && require_url(&r);
    if (forms & BODY_MULTIPART && str_eq(type, STR("multipart/form-data")))
        return check_encoding(request, false, err) && read_multipart(&r);
    if (forms & BODY_RAW && is_raw_type(type))
        return check_encoding(request, true, err) && read_raw(&r);
    return refuse_type(request, forms, err);
}
