/* Which form of an answer the client wants: ?format= wins over Accept. */
#pragma once

#include "http/router.h"
#include "query/export.h"

const char *format_media_type(enum export_format format);
/* "json", "csv", "ndjson": the words of the parameter. */
const char *format_name(enum export_format format);
/* `has_ndjson`: the route declares it.  Errors: not_acceptable (406). */
MUST_CHECK bool format_choose(const struct request *request, struct response *response,
                              bool has_ndjson, enum export_format *out, struct err *err);
