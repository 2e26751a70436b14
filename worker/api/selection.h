/* What the query handlers have in common: a dataset's version, and the rows of it that the
 * request's filters select. */
#pragma once

#include "api/app.h"
#include "query/query.h"

struct selection {
    const struct version *version;
    struct query query; /* the filter; all fields, no order, no bounds */
};

/* `q` is the words to look for, "" for none; `version_or_0` an older version's number. */
MUST_CHECK bool selection_open(struct app *app, const struct request *request,
                               struct str dataset, int64_t version_or_0, struct str q,
                               struct selection *out, struct err *err);
/* A tag for an answer that is made of nothing but the version and the URL; `form` tells
 * representations of one URL apart. */
struct str selection_etag(struct arena *a, const struct version *version, const char *form);
