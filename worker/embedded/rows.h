/* rows.db of a version, opened by the version's schema. */
#pragma once

#include "catalogue/schema.h"
#include "store/rows.h"

/* A column per column of the schema; how much text they hold is left at 0. */
struct rows_column *embedded_rows_columns(struct arena *a, const struct schema *schema);
/* As rows_open. */
MUST_CHECK struct rows *embedded_rows_open(struct arena *a, const char *path,
                                           const struct schema *schema, struct err *err);
