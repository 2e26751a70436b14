/* The rows that a new version starts from.  They are values already: of the types that the plan
 * took over from them, so nothing is parsed again but the elements of lists. */
#pragma once

#include "import/sink.h"
#include "index/columns.h"
#include "store/rows.h"

extern const struct sink EMBEDDED_SINK;

struct import_base { /* zeroed: there is none */
    struct rows *rows;
    uint64_t row_count;
    uint64_t *text_bytes_max; /* per column, folded */
    size_t *wanted;           /* every column */
};
MUST_CHECK bool import_base_open(struct arena *a, const char *data_dir,
                                 const struct dataset_version *version,
                                 const struct schema *schema, struct import_base *out,
                                 struct err *err);
void import_base_close(struct import_base *base);
/* As base_row of a sink. */
MUST_CHECK bool import_base_row(struct arena *a, const struct import_base *base,
                                const struct schema *schema, uint64_t number,
                                struct value *values, uint64_t *line, struct err *err);
