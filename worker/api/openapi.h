/* The API's description, served as JSON: the route table, and the words, schemas and examples
 * of openapi.yaml, which travels inside the binary. */
#pragma once

#include "base/buf.h"
#include "base/embed.h"
#include "base/err.h"

extern const struct embed_file EMBED_OPENAPI[]; /* worker/api/openapi.yaml */
extern const size_t EMBED_OPENAPI_COUNT;

#define OPENAPI_BYTES_MAX (4 * MIB)

/* Appends it.  ERR_INVALID with the line, or with the operation that openapi.yaml says nothing
 * of: our own mistake. */
MUST_CHECK bool openapi_add_json(struct buf *out, struct err *err);
