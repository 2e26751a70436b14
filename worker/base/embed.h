/* Files that are part of the binary: SQL, migrations, nginx parts, the API description, the
 * default configuration.  `scripts/embed` writes a table of them at build time. */
#pragma once

#include "base/str.h"

struct embed_file {
    struct str name; /* without folder */
    struct str text; /* also NUL-terminated behind its end */
};

/* NULL when the table has none of that name. */
const struct embed_file *embed_find(const struct embed_file *files, size_t count,
                                    struct str name);

/* The tables; each sorted by name. */
extern const struct embed_file EMBED_QUERIES[]; /* worker/store/queries/ */
extern const size_t EMBED_QUERIES_COUNT;
extern const struct embed_file EMBED_MIGRATIONS[]; /* worker/store/migrations/ */
extern const size_t EMBED_MIGRATIONS_COUNT;
extern const struct embed_file EMBED_NGINX[]; /* nginx/ (not www/) */
extern const size_t EMBED_NGINX_COUNT;
extern const struct embed_file EMBED_OPENAPI[]; /* worker/api/openapi.yaml */
extern const size_t EMBED_OPENAPI_COUNT;
extern const struct embed_file EMBED_CONF[]; /* conf/ *.yaml */
extern const size_t EMBED_CONF_COUNT;
