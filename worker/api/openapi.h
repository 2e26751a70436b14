/* The API's description: written by hand as openapi.yaml, which travels inside the binary, and
 * served as JSON. */
#pragma once

#include "base/buf.h"
#include "base/embed.h"
#include "base/err.h"

extern const struct embed_file EMBED_OPENAPI[]; /* worker/api/openapi.yaml */
extern const size_t EMBED_OPENAPI_COUNT;

#define OPENAPI_BYTES_MAX (4 * MIB)

/* Appends the embedded description as JSON.  Errors are ERR_INVALID with the line. */
MUST_CHECK bool openapi_add_json(struct buf *out, struct err *err);
