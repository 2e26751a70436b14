/* The rows of a CSV file as an import into a declared dataset would take them, without an
 * import: the same encodings, dialects, header matching and faults.  For commands that work on
 * bare files. */
#pragma once

#include "catalogue/schema.h"
#include "config/config.h"

struct import_read_row {
    uint64_t line;           /* physical line it begins on; the header is line 1 */
    const struct str *cells; /* per declared column, as they are in the file; NULL: at fault */
    const char *fault;       /* as a reject's reason; NULL: none */
};
/* Cells are valid during the call only.  False stops, with err set. */
typedef bool import_read_fn(void *context, const struct import_read_row *row, struct err *err);

/* Errors carry the codes of an import: empty_file, not_csv, missing_columns, ... */
MUST_CHECK bool import_read(const struct config *config, struct str dataset, int source_fd,
                            import_read_fn *on_row, void *context, struct err *err);
