/* The questions that an engine answers: where the rows of versions are kept and computed on.  A
 * checked question in, plain values out: whoever asks sees no bitmap, no map and no database of
 * rows.  Which engine it is, is handed down by the process that hosts it. */
#pragma once

#include "catalogue/dataset.h"

struct engine_state; /* what an engine has open; made by `start` */

/* Cells are valid during the call only.  False, with err set, stops. */
typedef bool engine_line_fn(void *context, uint64_t line, const struct str *cells,
                            struct err *err);

struct engine {
    /* `start`: of the service; only versions that were checked since are answered from.  0: no
     * service.  Opens nothing yet. */
    struct engine_state *(*start)(struct db *db, const char *data_dir, int64_t start);
    void (*stop)(struct engine_state **state); /* accepts one that is NULL */

    /* All rows of a version in order: the columns of these names as the text of their file, with
     * the line that each row began in.  Needs of the version nothing but its rows, and does not
     * check them.  Errors: those of its rows.db. */
    bool (*walk)(struct engine_state *state, const struct dataset_version *version,
                 const struct str *names, size_t count, engine_line_fn *on_line, void *context,
                 struct err *err);
};
