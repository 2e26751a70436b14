/* What every question has in common: of which version it is asked, under which filter, and by
 * when it has to be answered. */
#pragma once

#include "catalogue/dataset.h"

struct engine;
struct filter;

/* A version that an engine has opened; what it opened is its own. */
struct version {
    struct dataset dataset;
    struct dataset_version info;
    struct schema schema;
};

struct ask {
    const struct engine *engine;
    struct arena *arena; /* of the answers */
    const struct version *version;
    const struct filter *filter; /* NULL: all rows */
    uint64_t deadline_us;        /* steady clock; 0: none */
    /* For the engine alone: it keeps the rows under the filter here for later questions of this
     * ask; NULL until a question has needed them.  They are in the arena of that question. */
    const void *found;
};
