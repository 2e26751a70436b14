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

void
object_end(struct json *j)
{
    json_end_object(j);
    buf_add_char(j->out, '\n');
}
