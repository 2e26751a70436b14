/* The frame of a list: {"data": [...], "page": {...}, "meta": {...}} and the Link header. */
#pragma once

#include "http/response.h"
#include "json/write.h"

/* Adds "page": {next_cursor, next_url, has_more} and, when there is a next page, the Link
 * header.  The next URL is this request's with another cursor.  `cursor` is "" on the last
 * page. */
void page_add(struct json *j, const struct request *request, struct response *response,
              struct str cursor);
