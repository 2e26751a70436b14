/* The rows that a new version starts from.  They are values already: of the types that the plan
 * took over from them, so nothing is parsed again but the elements of lists. */
#pragma once

#include "embedded/rows.h"
#include "import/sink.h"
#include "index/columns.h"

struct embedded_base { /* zeroed: there is none */
    struct rows *rows;
    uint64_t row_count;
    uint64_t *text_bytes_max; /* per column, folded */
    size_t *wanted;           /* every column */
};
MUST_CHECK bool embedded_base_open(struct arena *a, const char *data_dir,
                                   const struct dataset_version *version,
                                   const struct schema *schema, struct embedded_base *out,
                                   struct err *err);
void embedded_base_close(struct embedded_base *base);
/* As base_row of a sink. */
MUST_CHECK bool embedded_base_row(struct arena *a, const struct embedded_base *base,
                                  const struct schema *schema, uint64_t number,
                                  struct value *values, uint64_t *line, struct err *err);
