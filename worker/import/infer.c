/* Most cells of a text column cost one comparison: nothing is left to lose. */
#include "import/infer.h"

#include "base/date.h"
#include "base/num.h"

#define BIT(type) (1u << (type))
#define NUMBERS (BIT(COLUMN_INTEGER) | BIT(COLUMN_REAL))
#define DATES (BIT(COLUMN_DATE) | BIT(COLUMN_DATETIME))
/* Beside the types: numbers all the same, but some with the other decimal separator. */
#define OTHER_DECIMAL (1u << 31)

/* The last integer that a double, and so every JSON reader, can tell from its neighbours. */
#define EXACT_MAX (INT64_C(1) << 53)

/* Longer than any number or date worth the name. */
#define TYPED_BYTES_MAX 64

/* All of them name one day without doubt; 01/02/2003 does not and is left out. */
static const struct str DATE_FORMATS[] = {
    STR_INIT("%b %d, %Y"),
    STR_INIT("%d %b %Y"),
    STR_INIT("%Y/%m/%d"),
    STR_INIT("%b %Y"),
};

const struct str *
infer_date_formats(size_t *count)
{
    *count = COUNT_OF(DATE_FORMATS);
    return DATE_FORMATS;
}

void
infer_init(struct infer_column *column)
{
    *column =
        (struct infer_column){.types = NUMBERS | DATES | BIT(COLUMN_BOOLEAN) | OTHER_DECIMAL};
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* 007 and +49 are names made of digits. */
static bool
is_name_of_digits(struct str s)
{
    if (s.p[0] == '+')
        return true;
    if (s.p[0] == '-')
        s = str_skip(s, 1);
    return s.n > 1 && s.p[0] == '0' && is_digit(s.p[1]);
}

static unsigned
number_types(struct str cell, char decimal)
{
    char small[TYPED_BYTES_MAX];
    if (is_name_of_digits(cell))
        return 0;
    int64_t i;
    if (num_parse_i64(cell, &i))
        return i >= -EXACT_MAX && i <= EXACT_MAX ? NUMBERS : 0;
    bool has_comma = false, is_whole = true;
    for (size_t at = 0; at < cell.n; at++) {
        if (decimal == ',' && cell.p[at] == '.')
            return 0;
        bool is_sign = at == 0 && cell.p[at] == '-';
        is_whole = is_whole && (is_sign || is_digit(cell.p[at]));
        has_comma = has_comma || cell.p[at] == ',';
        small[at] = decimal == ',' && cell.p[at] == ',' ? '.' : cell.p[at];
    }
    double d;
    /* Digits only, and no int64: longer than any of them. */
    if (is_whole || (has_comma && decimal != ',') ||
        !num_parse_f64((struct str){small, cell.n}, &d))
        return 0;
    return BIT(COLUMN_REAL);
}

static unsigned
date_types(struct str cell, bool *is_whole_date)
{
    int64_t v;
    *is_whole_date = false;
    if (date_parse_iso(cell, &v)) {
        *is_whole_date = true;
        return DATES;
    }
    if (date_parse_timestamp(cell, &v))
        return BIT(COLUMN_DATETIME);
    for (size_t i = 0; i < COUNT_OF(DATE_FORMATS); i++)
        if (date_parse_format(cell, DATE_FORMATS[i], &v)) {
            *is_whole_date = str_find(DATE_FORMATS[i], STR("%d")) >= 0;
            return BIT(COLUMN_DATE);
        }
    return 0;
}

void
infer_add(struct infer_column *column, const struct schema *schema, char decimal,
          struct str cell)
{
    if (column->types == 0 || schema_cell_is_null(schema, cell))
        return;
    cell = str_trim(cell);
    column->has_value = true;
    unsigned fitting = 0;
    if (cell.n <= TYPED_BYTES_MAX) {
        bool is_whole_date = false;
        if (column->types & (NUMBERS | OTHER_DECIMAL))
            fitting |= number_types(cell, decimal);
        /* A whole number has none, and so costs no second look. */
        if (column->types & OTHER_DECIMAL &&
            (fitting & BIT(COLUMN_INTEGER) ||
             (!fitting && number_types(cell, decimal == ',' ? '.' : ','))))
            fitting |= OTHER_DECIMAL;
        if (column->types & DATES)
            fitting |= date_types(cell, &is_whole_date);
        if (column->types & BIT(COLUMN_BOOLEAN) &&
            (str_eq_ascii_nocase(cell, STR("true")) || str_eq_ascii_nocase(cell, STR("false"))))
            fitting |= BIT(COLUMN_BOOLEAN);
        column->has_whole_date = column->has_whole_date || is_whole_date;
    }
    column->types &= fitting;
}

enum column_type
infer_type(const struct infer_column *column)
{
    static const enum column_type NARROWEST_FIRST[] = {
        COLUMN_BOOLEAN, COLUMN_INTEGER, COLUMN_REAL, COLUMN_DATE, COLUMN_DATETIME};
    if (!column->has_value)
        return COLUMN_TEXT;
    for (size_t i = 0; i < COUNT_OF(NARROWEST_FIRST); i++) {
        enum column_type type = NARROWEST_FIRST[i];
        if (type == COLUMN_DATE && !column->has_whole_date)
            continue;
        if (column->types & BIT(type))
            return type;
    }
    return COLUMN_TEXT;
}

bool
infer_fits_other_decimal(const struct infer_column *column)
{
    return column->has_value && column->types == OTHER_DECIMAL;
}
