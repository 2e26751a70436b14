/* The frame of a list: {"data": [...], "page": {...}, "meta": {...}} and the Link header. */
#pragma once

#include "http/response.h"
#include "json/write.h"

/* The parameter `cursor` of a list of jobs, or of what goes by their ids: "" when absent.
 * bad_parameter when it is none of ours. */
MUST_CHECK bool page_read_job_cursor(struct request *request, struct str *out, struct err *err);
/* How many to ask for: one more than `limit` tells whether there is a next page. */
uint64_t page_fetch_count(const struct request *request);
/* Cuts that one off: is there a next page? */
bool page_cut(const struct request *request, size_t *count);
/* Begins the answer; items follow. */
struct json page_begin(struct response *response);
/* Behind the last item: adds "page": {next_cursor, next_url, has_more} and, when there is a
 * next page, the Link header; members of "meta" follow.  The next URL is this request's with
 * another cursor.  `cursor` is "" on the last page. */
void page_begin_meta(struct json *j, const struct request *request, struct response *response,
                     struct str cursor);
void page_end(struct json *j);
/* The Link header alone, where the answer is no JSON.  None on the last page. */
void page_add_link(const struct request *request, struct response *response, struct str cursor);
