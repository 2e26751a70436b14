/* A page of rows: its order, its fields, and where it goes on. */
#pragma once

#include "base/value.h"
#include "query/ask.h"
#include "query/filter.h"

#define QUERY_SORT_KEYS_MAX 8
#define QUERY_LIMIT_MAX 1000

struct query {
    struct {
        size_t column;
        bool is_descending;
    } sort[QUERY_SORT_KEYS_MAX];
    size_t sort_count;
    const size_t *fields; /* column indexes to show */
    size_t field_count;
    bool lists_are_raw; /* lists are shown as their raw text instead of their elements */
    uint64_t limit;     /* 0: all (exports) */
    uint64_t offset;    /* matches before the page, from the cursor or the short form */
    uint64_t binding;   /* a hash of what else a cursor belongs to; 0 for rows */
};

/* `sort=-price,name`, `fields=a,b`; empty text means none / all.  Nulls come last whatever the
 * direction, equal rows in row order; text by folded bytes, lists by their raw text.  A field
 * named twice is shown once. */
MUST_CHECK bool query_parse_sort(const struct schema *schema, struct str text,
                                 struct query *out, struct err *err);
MUST_CHECK bool query_parse_fields(struct arena *a, const struct schema *schema,
                                   struct str text, struct query *out, struct err *err);
/* The value of the key column, or of a row's number (from 1, `i`) where there is none, that a
 * text names; null when it is one that no row can have. */
MUST_CHECK bool query_parse_key(const struct schema *schema, struct str text, struct value *out,
                                struct err *err);

/* An opaque cursor: base64url of version, filter and sort hash, offset and a checksum.  The
 * version is needed before the filter can be parsed, so it is read first. */
struct query_cursor {
    int64_t version;
    uint64_t hash, offset;
};
MUST_CHECK bool query_parse_cursor(struct str text, struct query_cursor *out, struct err *err);
/* Begins the page where the cursor says, if it belongs to what is asked. */
MUST_CHECK bool query_use_cursor(struct query *query, const struct ask *ask,
                                 const struct query_cursor *cursor, struct err *err);
/* Of the page that begins `offset` matches on, in the ask's arena. */
struct str query_make_cursor(const struct ask *ask, const struct query *query, uint64_t offset);

struct query_result {
    uint64_t total; /* exact number of matches */
    uint64_t *rows; /* row indexes (from 0) of the page, in order */
    size_t row_count;
    bool has_more;
};
