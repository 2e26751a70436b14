#include "api/page.h"

#include "api/object.h"
#include "http/router.h"

#define URL_BYTES_MAX (64 * KIB)
/* nginx reads the head of an answer into one buffer; a longer link stays in the body alone. */
#define LINK_BYTES_MAX (2 * KIB)

static void
add_next_url(struct buf *out, const struct request *request, struct str cursor)
{
    buf_add(out, request->path);
    buf_add_char(out, '?');
    for (size_t i = 0; i < request->param_count; i++) {
        if (str_eq(request->params[i].name, STR("cursor")))
            continue;
        request_encode(out, request->params[i].name);
        buf_add_char(out, '=');
        request_encode(out, request->params[i].value);
        buf_add_char(out, '&');
    }
    buf_add_lit(out, "cursor=");
    request_encode(out, cursor);
}

bool
page_read_job_cursor(struct request *request, struct str *out, struct err *err)
{
    struct str cursor = request_text(request, "cursor");
    if (!str_is_hex(cursor))
        return err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("cursor"),
                            "cursor is page.next_cursor of the page before, got '%" STR_FMT "'",
                            STR_ARG(cursor));
    *out = cursor;
    return true;
}

uint64_t
page_fetch_count(const struct request *request)
{
    return (uint64_t)request_integer(request, "limit") + 1;
}

bool
page_cut(const struct request *request, size_t *count)
{
    size_t limit = (size_t)request_integer(request, "limit");
    bool has_more = *count > limit;
    *count = MIN(*count, limit);
    return has_more;
}

struct json
page_begin(struct response *response)
{
    struct json j = object_begin(response);
    json_member_begin_array(&j, "data");
    return j;
}

static void
add_link(struct response *response, struct str url)
{
    if (url.n <= LINK_BYTES_MAX)
        response_header(response, "Link", "<%" STR_FMT ">; rel=\"next\"", STR_ARG(url));
}

void
page_add_link(const struct request *request, struct response *response, struct str cursor)
{
    scoped_buf url;
    buf_init(&url, URL_BYTES_MAX);
    if (cursor.n == 0)
        return;
    add_next_url(&url, request, cursor);
    add_link(response, buf_str(&url));
}

void
page_begin_meta(struct json *j, const struct request *request, struct response *response,
                struct str cursor)
{
    json_end_array(j);
    json_member_begin_object(j, "page");
    if (cursor.n) {
        scoped_buf url;
        buf_init(&url, URL_BYTES_MAX);
        add_next_url(&url, request, cursor);
        json_member_str(j, "next_cursor", cursor);
        json_member_str(j, "next_url", buf_str(&url));
        add_link(response, buf_str(&url));
    } else {
        json_member_null(j, "next_cursor");
        json_member_null(j, "next_url");
    }
    json_member_bool(j, "has_more", cursor.n > 0);
    json_end_object(j);
    json_member_begin_object(j, "meta");
}

void
page_end(struct json *j)
{
    json_end_object(j);
    json_end_object(j);
    buf_add_char(j->out, '\n');
}
