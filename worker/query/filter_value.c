/* Decimals for integer columns are split at the dot rather than read as a
 * double: 9007199254740993.5 lies between two integers that no double can tell apart. */
#include "query/filter_value.h"

#include "base/date.h"
#include "base/num.h"

#include <math.h>

/* Whole numbers beyond int64 are all the same to a column: outside. */
static const filter_wide BEYOND = (filter_wide)1 << 64;

static bool
read_flag_word(struct str value, bool *out)
{
    static const struct {
        struct str word;
        bool is_true;
    } WORDS[] = {
        {STR_INIT("true"), true}, {STR_INIT("false"), false}, {STR_INIT("yes"), true},
        {STR_INIT("no"), false},  {STR_INIT("1"), true},      {STR_INIT("0"), false},
    };
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        if (str_eq_ascii_nocase(value, WORDS[i].word)) {
            *out = WORDS[i].is_true;
            return true;
        }
    return false;
}

bool
filter_read_flag(struct str value, bool *out)
{
    value = str_trim(value);
    if (value.n > 0)
        return read_flag_word(value, out);
    *out = true;
    return true;
}

static struct filter_span
span_of(int64_t v)
{
    return (struct filter_span){v, v};
}

static bool
all_digits(struct str s, bool *is_zero)
{
    *is_zero = true;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        *is_zero &= s.p[i] == '0';
    }
    return true;
}

/* digits.digits with a whole part in int64. */
static bool
read_decimal(struct str value, struct filter_span *out)
{
    ptrdiff_t dot = str_find_char(value, '.');
    bool is_zero;
    int64_t whole;
    if (dot <= 0 || !all_digits(str_skip(value, (size_t)dot + 1), &is_zero) ||
        !num_parse_i64(str_slice(value, 0, (size_t)dot), &whole))
        return false;
    *out = span_of(whole);
    if (is_zero)
        return true;
    if (value.p[0] == '-') /* also -0.5, whose whole part shows no sign */
        out->hi = (filter_wide)whole - 1;
    else
        out->lo = (filter_wide)whole + 1;
    return true;
}

static bool
read_integer(struct str value, struct filter_span *out)
{
    int64_t whole;
    double real;
    if (num_parse_whole(value, &whole)) {
        *out = span_of(whole);
        return true;
    }
    if (read_decimal(value, out))
        return true;
    if (!num_parse_f64(value, &real))
        return false;
    if (fabs(real) >= 0x1p64)
        *out = (struct filter_span){real < 0 ? -BEYOND : BEYOND, real < 0 ? -BEYOND : BEYOND};
    else
        *out = (struct filter_span){(filter_wide)ceil(real), (filter_wide)floor(real)};
    return true;
}

static bool
read_timestamp(struct str value, struct filter_span *out)
{
    int64_t v;
    if (date_parse_iso(value, &v)) {
        out->lo = (filter_wide)v * DATE_MS_PER_DAY;
        out->hi = out->lo + DATE_MS_PER_DAY - 1;
        return true;
    }
    if (!date_parse_timestamp(value, &v))
        return false;
    *out = span_of(v);
    return true;
}

bool
filter_read_span(enum column_type type, struct str value, struct filter_span *out)
{
    int64_t day;
    bool flag, ok = false;
    value = str_trim(value);
    switch (type) {
    case COLUMN_INTEGER:
        return read_integer(value, out);
    case COLUMN_BOOLEAN:
        if ((ok = read_flag_word(value, &flag)))
            *out = span_of(flag);
        break;
    case COLUMN_DATE:
        if ((ok = date_parse_iso(value, &day)))
            *out = span_of(day);
        break;
    case COLUMN_DATETIME:
        return read_timestamp(value, out);
    case COLUMN_REAL:
    case COLUMN_TEXT:
    case COLUMN_LIST:
        break;
    }
    return ok;
}

const char *
filter_value_rule(enum column_type type)
{
    switch (type) {
    case COLUMN_INTEGER:
        return "an integer";
    case COLUMN_REAL:
        return "a number";
    case COLUMN_BOOLEAN:
        return "true or false";
    case COLUMN_DATE:
        return "a day like 2026-01-31";
    case COLUMN_DATETIME:
        return "a time like 2026-01-31T08:00:00Z or a day like 2026-01-31";
    case COLUMN_TEXT:
    case COLUMN_LIST:
        break;
    }
    return "text";
}
