/* The values of a column as small numbers: rows of one value have one code, so that whoever
 * counts or compares them works on arrays. */
#pragma once

#include "embedded/version.h"
#include "query/groups.h"

#define GROUPS_NO_CODE UINT32_MAX

struct groups_codes {
    const struct column *column;
    const struct groups_key *key;
    uint32_t count;     /* codes are below */
    uint32_t null_code; /* of nulls and of lists without elements; or GROUPS_NO_CODE */
    uint32_t *of_row;   /* of selected rows; NULL for a list, whose element ids are its codes */
    uint64_t *words;    /* per code, but not of lists: int64, bits of a double, hash of text */
    uint32_t *rows;     /* per code, of text: the first row of that text */
};

/* With `raw_lists` a list is its raw text.  Fails with too_many_groups beyond `count_max`. */
MUST_CHECK bool embedded_groups_codes_make(struct arena *a, const struct column *column,
                                           const struct groups_key *key,
                                           const struct bitmap *rows, bool raw_lists,
                                           uint32_t count_max, struct groups_codes *out,
                                           struct err *err);
/* Order of two codes by value, nulls last: <0, 0, >0. */
int embedded_groups_codes_compare(const struct groups_codes *codes, uint32_t a, uint32_t b);
bool embedded_groups_refuse_count(uint32_t count_max, struct err *err);
