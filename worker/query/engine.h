/* The questions that an engine answers: where the rows of versions are kept and computed on.  A
 * checked question in, plain values out: whoever asks sees no bitmap, no map and no database of
 * rows.  Which engine it is, is handed down by the process that hosts it.
 *
 * Answers are in the ask's arena unless they say otherwise; rows are numbered from 0.  Every
 * question may fail with busy: code deadline past the ask's, index_damaged or version_damaged
 * where the files cannot be read. */
#pragma once

#include "query/groups.h"
#include "query/histogram.h"
#include "query/query.h"
#include "query/similar.h"
#include "query/titles.h"
#include "writer/client.h"

struct engine_state; /* what an engine has open; made by `start` */

/* Cells are valid during the call only.  False, with err set, stops. */
typedef bool engine_line_fn(void *context, uint64_t line, const struct str *cells,
                            struct err *err);

struct engine {
    /* `start`: of the service; only versions that were checked since are answered from.  0: no
     * service.  Opens nothing yet. */
    struct engine_state *(*start)(struct db *db, const char *data_dir, int64_t start);
    void (*stop)(struct engine_state **state); /* accepts one that is NULL */

    /* The current version (number 0) or an older one, valid until the next call.  The dataset
     * was looked up for this call, so that what was published elsewhere is seen.  Errors:
     * not_found, gone, nothing_published (404), and busy with code version_unchecked (after a
     * start, until its turn comes), version_damaged or index_damaged, or without one where
     * descriptors or memory are short. */
    bool (*open)(struct engine_state *state, const struct dataset *dataset, int64_t number_or_0,
                 const struct version **out, struct err *err);
    /* What `open` gave last, or could not open, proved unreadable or is unchecked: unless it is
     * known to be damaged, has it checked next. */
    void (*doubt)(struct engine_state *state, struct writer *writer);

    /* How many rows are under the filter. */
    bool (*count)(struct ask *ask, uint64_t *total, struct err *err);
    /* Which rows a page has, in order. */
    bool (*page)(struct ask *ask, const struct query *query, struct query_result *out,
                 struct err *err);
    /* The fields of the row at `i` of rows[count], as export.h takes them; valid until the next
     * call.  An export reads them one by one, in their order, in the memory of one. */
    bool (*row)(struct ask *ask, const struct query *query, const uint64_t *rows, size_t count,
                size_t i, const struct value **out, struct err *err);
    /* The row that has the key of query_parse_key, whatever the filter; text exactly to the
     * byte.  1 found, 0 none, -1 error. */
    int (*find_key)(struct ask *ask, const struct value *key, uint64_t *row, struct err *err);

    /* Of one column; the request was checked against it. */
    bool (*stats)(struct ask *ask, size_t column, const struct stats_request *request,
                  struct stats_answer *out, struct err *err);
    /* `limit` 0: all.  Errors: bad_parameter with code too_many_groups. */
    bool (*groups)(struct ask *ask, const struct groups_question *question, uint64_t offset,
                   uint64_t limit, struct groups_result *out, struct err *err);
    /* Group `i` of the page; its text is valid until the next call.  In order, as rows. */
    bool (*group)(struct ask *ask, const struct groups_result *result, size_t i,
                  struct groups_group *out, struct err *err);
    /* The column passes histogram_check; 1 <= bin_count <= HISTOGRAM_BINS_MAX. */
    bool (*histogram)(struct ask *ask, size_t column, size_t bin_count, struct histogram *out,
                      struct err *err);
    /* The `limit` best of the rows under the filter but the row itself, best first, equal
     * scores in row order.  Rows without a word in common are left out.  Errors: those of
     * similar_columns; index_damaged where the tf-idf file is not there (`playmeter reindex`
     * makes it again). */
    bool (*similar)(struct ask *ask, uint64_t row, uint64_t limit, struct similar_match **out,
                    size_t *out_count, struct err *err);
    /* The first row whose title is the text to the byte, else the first whose folded title is
     * the folded text.  1 found, 0 none, -1 error. */
    int (*find_title)(struct ask *ask, struct str text, uint64_t *row, struct err *err);
    /* titles_search of a text and a dataset that were checked. */
    bool (*titles)(struct ask *ask, struct str text, uint64_t limit, struct titles_match **out,
                   size_t *out_count, struct err *err);

    /* All rows of a version in order: the columns of these names as the text of their file,
     * with the line that each row began in.  Needs of the version nothing but its rows, and
     * does not check them. */
    bool (*walk)(struct engine_state *state, const struct dataset_version *version,
                 const struct str *names, size_t count, engine_line_fn *on_line, void *context,
                 struct err *err);
};
