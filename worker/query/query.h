/* A page of rows: filter, order, cursor, and the values of the page read from rows.db. */
#pragma once

#include "query/filter.h"

#define QUERY_SORT_KEYS_MAX 8
#define QUERY_LIMIT_MAX 1000

struct query {
    int64_t dataset_id; /* for cursors: version numbers of two datasets are alike */
    struct filter *filter;
    struct {
        size_t column;
        bool is_descending;
    } sort[QUERY_SORT_KEYS_MAX];
    size_t sort_count;
    const size_t *fields; /* column indexes to show */
    size_t field_count;
    uint64_t limit;   /* 0: all (exports) */
    uint64_t offset;  /* matches before the page, from the cursor or the short form */
    uint64_t binding; /* a hash of what else a cursor belongs to; 0 for rows */
};

/* `sort=-price,name`, `fields=a,b`; empty text means none / all.  Nulls come last whatever the
 * direction, equal rows in row order; text by folded bytes, lists by their raw text.  A field
 * named twice is shown once. */
MUST_CHECK bool query_parse_sort(const struct schema *schema, struct str text,
                                 struct query *out, struct err *err);
MUST_CHECK bool query_parse_fields(struct arena *a, const struct schema *schema,
                                   struct str text, struct query *out, struct err *err);

/* An opaque cursor: base64url of version, filter and sort hash, offset and a checksum. */
struct str query_make_cursor(struct arena *a, const struct query *query, int64_t version,
                             uint64_t offset);
/* The version is needed before the filter can be parsed, so it is read first. */
MUST_CHECK bool query_cursor_version(struct str cursor, int64_t *version, struct err *err);
MUST_CHECK bool query_use_cursor(struct query *query, struct str cursor, int64_t version,
                                 struct err *err);

struct query_result {
    uint64_t total; /* exact number of matches */
    uint64_t *rows; /* row indexes (from 0) of the page, in order */
    size_t row_count;
    bool has_more;
};
MUST_CHECK bool query_run(struct arena *a, const struct query *query,
                          const struct version *version, uint64_t deadline_us,
                          struct query_result *out, struct err *err);
/* Row index by key value, exact to the byte for text: 1 found, 0 none, -1 error (the key does
 * not parse). */
MUST_CHECK int query_find_key(const struct version *version, struct str key, uint64_t *row,
                              struct err *err);
