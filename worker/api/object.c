/* See object.h. */
#include "api/object.h"

#include "api/format.h"

struct json
object_begin(struct response *response)
{
    struct json j = json_write(&response->body);
    response->type = format_media_type(EXPORT_JSON);
    json_begin_object(&j);
    return j;
}

struct json
object_begin_unstored(struct response *response)
{
    response_header(response, "Cache-Control", "no-store");
    return object_begin(response);
}

void
object_end(struct json *j)
{
    json_end_object(j);
    buf_add_char(j->out, '\n');
}
