/* The API's description: written by hand as openapi.yaml, which travels inside the binary, and
 * served as JSON. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the embedded description as JSON.  Errors are ERR_INVALID with the line. */
MUST_CHECK bool openapi_add_json(struct buf *out, struct err *err);
