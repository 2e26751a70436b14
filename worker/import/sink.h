/* Where the rows of an import go: a table of functions by which an engine makes the files of a
 * version of them, and gives back the rows of the version that they are added to.  Whoever
 * hosts the import hands it down with the task.  One thread calls:
 *
 *     open --> begin --> next, push, next, push ... --> finish --> close
 *                        base_row between them
 *
 * close may come at any time; before the end of finish it cancels. */
#pragma once

#include "base/value.h"
#include "catalogue/dataset.h"

struct sink_version { /* that is made; all of it outlives the sink's state */
    const char *data_dir;
    int64_t dataset_id;
    struct str job_id;                  /* with it the name of its folder, which is there */
    const struct schema *schema;        /* types are known by `begin`, with a base by `open` */
    const struct dataset_version *base; /* of the same columns; NULL: it begins empty */
};

struct sink_size { /* of what will be pushed, the base's rows apart */
    uint64_t row_count_max;
    const uint64_t *text_bytes;     /* per column: raw */
    const uint64_t *text_bytes_max; /* folded, at most */
};

/* Called while finish waits; false stops it. */
typedef bool sink_wait_fn(void *context, struct err *err);

struct sink_state; /* one version that is being made */

struct sink {
    double disk_share; /* what a version takes of the disk, as a share of its CSV */
    /* Opens the base.  NULL, with err set, where it cannot be read: rows_damaged where its rows
     * are not those that were written. */
    struct sink_state *(*open)(const struct sink_version *version, struct err *err);
    /* Row `number` of the base from 1, in ascending order: values with elements and text in the
     * arena, and the line of its own file that it came from. */
    bool (*base_row)(struct arena *a, struct sink_state *state, uint64_t number,
                     struct value *values, uint64_t *line, struct err *err);
    bool (*begin)(struct sink_state *state, const struct sink_size *size, struct err *err);
    /* Room for one row: its values, to be filled, and the arena that owns what they point to.
     * The same room again until `push`.  NULL with err set when the making failed. */
    struct value *(*next)(struct sink_state *state, struct arena **a, struct err *err);
    /* The row that `next` gave is complete; `line` is where it stands in its file. */
    void (*push)(struct sink_state *state, uint64_t line);
    /* No more rows: all is durable when it returns, but for the folder's own entry.  Gives a
     * summary per column and the checksum that the catalogue keeps of the rows. */
    bool (*finish)(struct sink_state *state, sink_wait_fn *on_wait, void *context,
                   struct column_summary *summaries, uint64_t *rows_checksum, struct err *err);
    void (*close)(struct sink_state **state); /* accepts one that is NULL */
};
