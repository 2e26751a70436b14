/* A small body: one JSON object whose members the handler names.
 *
 *     static const char *const MEMBERS[] = {"username", "password"};
 *     json_body_read(request, MEMBERS, COUNT_OF(MEMBERS), &body, err) &&
 *     json_body_str(body, "username", &username, err) && ... */
#pragma once

#include "http/request.h"
#include "json/read.h"

/* Is the body said to be JSON, as it stands?  unsupported_media_type (415) for another type,
 * and for a Content-Encoding. */
MUST_CHECK bool json_body_check_type(const struct request *request, struct err *err);
/* Errors: those of json_body_check_type;
 * malformed (400) for what is not JSON; invalid (422) for no object, and for a member that is
 * not among the names, with the nearest one, or all of them where none is near. */
MUST_CHECK bool json_body_read(const struct request *request, const char *const *names,
                               size_t count, const struct json_value **out, struct err *err);
/* A member that has to be there.  invalid (422), naming it: missing_member when it is not there
 * or null, else when it is no string. */
MUST_CHECK bool json_body_str(const struct json_value *body, const char *name, struct str *out,
                              struct err *err);
