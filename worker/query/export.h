/* Rows as JSON, NDJSON and CSV: the one writer of each, used by pages, exports and the short
 * form.  Nothing is allocated or kept from row to row: the caller empties `out` when it likes,
 * so an export of any length runs in its memory. */
#pragma once

#include "query/query.h"

enum export_format { EXPORT_JSON, EXPORT_CSV, EXPORT_NDJSON };

/* A row is the values of the query's fields, in their order; dates are written as text. */

struct export_number { /* of the row, as its first member */
    const char *name;
    uint64_t row; /* from 0, shown from 1 */
};
/* Appends one JSON object ("name":value,...); lists as arrays, or as text when the query's are
 * raw.  `number`: NULL for none. */
void export_add_json_row(struct buf *out, const struct schema *schema,
                         const struct query *query, const struct value *row,
                         const struct export_number *number);
/* The header line has the original headers.  In the place of a blank one stands the column's
 * name, unless `is_raw` and others have headers: then the line is as it was in the source. Rows
 * end in CRLF; a null is an empty cell, a list its raw text.  Without `is_raw`, a header, and a
 * cell of text or a list, that a spreadsheet would run is escaped. */
void export_add_csv_header(struct buf *out, const struct schema *schema,
                           const struct query *query, bool is_raw);
void export_add_csv_row(struct buf *out, const struct schema *schema, const struct query *query,
                        const struct value *row, bool is_raw);
