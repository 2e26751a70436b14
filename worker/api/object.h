/* An answer that is one JSON object:
 *
 *     struct json j = object_begin(response);
 *     json_member_i64(&j, "balance", balance);
 *     object_end(&j); */
#pragma once

#include "http/response.h"
#include "json/write.h"

/* Sets the media type too. */
struct json object_begin(struct response *response);
void object_end(struct json *j);
