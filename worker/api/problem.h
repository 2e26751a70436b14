/* Problem documents (RFC 9457): the one shape of every error.
 *
 *     {"type", "title", "status", "detail", "code", "request_id",
 *      "errors": [{"name", "code", "detail"}]}
 *
 * `type` is about:blank, since `code` names the kind; errors is there when a field is at
 * fault.  Most 429s never get here: nginx answers them, in the words of nginx/errors.conf. */
#pragma once

#include "http/response.h"

/* Makes the response this problem, with the headers its status calls for (Retry-After,
 * WWW-Authenticate).  What went wrong on our side is for the log alone: the reader is given the
 * request id to quote. */
void problem_answer(struct response *r, const struct err *err);
