/* Rows as JSON, NDJSON and CSV: the one writer of each, used by pages, exports and the short
 * form.  Nothing is kept from row to row: the caller empties `out` when it likes.  Rows are
 * read through the version's scratch space, so by one caller at a time. */
#pragma once

#include "query/query.h"

enum export_format { EXPORT_JSON, EXPORT_CSV, EXPORT_NDJSON };

/* Reads the row's fields and appends one JSON object ("name":value,...; dates as text, lists as
 * arrays, or as their raw strings when `lists_are_raw`).  `row_id_name` adds the row number
 * first when not NULL. */
MUST_CHECK bool export_add_json_row(struct buf *out, const struct version *version,
                                    const struct query *query, uint64_t row, bool lists_are_raw,
                                    const char *row_id_name, struct err *err);
/* The header line has the original headers.  In the place of a blank one stands the column's
 * name, unless `is_raw` and others have headers: then the line is as it was in the source. Rows
 * end in CRLF; a null is an empty cell, a list its raw text.  Without `is_raw`, a header, and a
 * cell of text or a list, that a spreadsheet would run is escaped. */
void export_add_csv_header(struct buf *out, const struct version *version,
                           const struct query *query, bool is_raw);
MUST_CHECK bool export_add_csv_row(struct buf *out, const struct version *version,
                                   const struct query *query, uint64_t row, bool is_raw,
                                   struct err *err);
