/* The types of columns that nobody declared, from every value of the file.
 *
 *   integer -> real -> text     boolean -> text     date -> datetime -> text
 *
 * A column starts as everything and loses each type that one of its values contradicts, so the
 * result never depends on the order of rows and is never a guess.  Numbers that are names stay
 * text: leading zeros or plus signs, integers beyond 2^53 (where a reader in JavaScript would
 * lose digits).  A column without any value is text. */
#pragma once

#include "catalogue/schema.h"

struct infer_column {
    unsigned types;      /* bit per enum column_type that no value has contradicted, and one
                            for the decimal separator that was not asked for */
    bool has_value;      /* some cell was not null */
    bool has_whole_date; /* a date with its day: only then is `Oct 2008` one, of the first */
};

void infer_init(struct infer_column *column);
/* One more cell; the schema is asked for its null words only. */
void infer_add(struct infer_column *column, const struct schema *schema, char decimal,
               struct str cell);
enum column_type infer_type(const struct infer_column *column);
/* It is text, and would be real with the other decimal separator. */
bool infer_fits_other_decimal(const struct infer_column *column);

/* Formats a date column has when it was inferred, or named `date` without a declaration. */
const struct str *infer_date_formats(size_t *count);
