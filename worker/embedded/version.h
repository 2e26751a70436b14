/* An opened dataset version, and the small cache of them that a worker keeps. */
#pragma once

#include "catalogue/integrity.h"
#include "embedded/key_index.h"
#include "index/columns.h"
#include "index/tfidf.h"
#include "index/trigrams.h"
#include "query/engine.h"
#include "store/rows.h"

struct stats_answer;

/* Answers about all rows, by column; NULL: not asked for yet. */
struct stats_known {
    struct arena arena;
    struct stats_answer **answers;
};

/* Room for one row, so that an export reads rows without allocating; for one use at a time. */
struct embedded_room {
    struct value *cells; /* column_count, as `wanted` */
    size_t *wanted;
    struct arena arena; /* elements, keys */
};

struct embedded_version {
    struct version common;  /* first: what is handed out is this, and taken back as the whole */
    struct columns columns; /* same order as the schema */
    /* No columns where the file is not there or is damaged: the scan gives the same answers,
     * and a service that is slower serves better than one that refuses until reindexed. */
    struct trigrams trigrams;
    struct tfidf tfidf; /* zeroed where its file is so: similarity is refused */
    struct rows *rows;
    uint64_t row_count;
    bool key_ascends;       /* the key column is integral and each value above the one before */
    struct key_index *keys; /* of the key column; made by the first embedded_key_find */
    struct stats_known *stats; /* of every row; made by embedded_stats_answer */
    struct embedded_room *room;
};

static inline const struct embedded_version *
embedded_version_of(const struct ask *ask)
{
    return (const struct embedded_version *)ask->version;
}

/* Makes what is kept with a version beside its files, which are open. */
void embedded_version_prepare(struct arena *a, struct embedded_version *version);
/* Closes all of it but the arena; accepts a zeroed struct. */
void embedded_version_close(struct embedded_version *version);

struct engine_state *embedded_start(struct db *db, const char *data_dir, int64_t start);
void embedded_stop(struct engine_state **cache);

/* engine.h.  Opens the files on first use and when their edition has risen, and looks the
 * dataset up again when they were removed in between. */
MUST_CHECK bool embedded_open(struct engine_state *cache, const struct dataset *looked_up,
                              int64_t number_or_0, const struct version **out, struct err *err);
void embedded_doubt(struct engine_state *cache, struct writer *w);
MUST_CHECK bool embedded_walk(struct engine_state *cache, const struct dataset_version *version,
                              const struct str *names, size_t count, engine_line_fn *on_line,
                              void *context, struct err *err);
