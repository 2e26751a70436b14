/* A row by its key (query_find_key of query.h).  Keys that ascend are halved; others are found
 * in the version's key index.  Text is compared folded first, and what fits is checked against
 * the original bytes in rows.db. */
#include "base/num.h"
#include "base/utf8.h"
#include "query/filter_value.h"
#include "query/query.h"

#define TEXT_KEY_BYTES_MAX 1024

static int
refuse_key(const struct schema_column *column, struct str key, struct err *err)
{
    (void)err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("key"),
                       "key: '%" STR_FMT "' is not %s, as the key column '%" STR_FMT "' has it",
                       STR_ARG(str_slice(key, 0, 80)), filter_value_rule(column->type),
                       STR_ARG(column->name));
    return -1;
}

static const struct key_index *
index_of(const struct version *version, const struct column *c)
{
    if (!version->keys->slots)
        key_index_build(version->keys, c);
    return version->keys;
}

static int
halve(const int64_t *ascending, uint64_t count, int64_t wanted, uint64_t *row)
{
    uint64_t lo = 0, hi = count;
    while (lo < hi) {
        uint64_t middle = lo + (hi - lo) / 2;
        if (ascending[middle] < wanted)
            lo = middle + 1;
        else
            hi = middle;
    }
    *row = lo;
    return lo < count && ascending[lo] == wanted;
}

static int
find_int(const struct version *version, const struct schema_column *schema,
         const struct column *c, struct str key, uint64_t *row, struct err *err)
{
    struct filter_span span;
    if (!filter_read_span(schema->type, key, &span) || span.lo != span.hi)
        return refuse_key(schema, key, err);
    if (span.lo < INT64_MIN || span.lo > INT64_MAX)
        return 0;
    int64_t wanted = (int64_t)span.lo;
    uint64_t hash = key_hash_int(wanted), at = 0;
    if (version->key_ascends)
        return halve(c->ints, c->row_count, wanted, row);
    while (key_index_next(index_of(version, c), hash, &at, row))
        if (c->ints[*row] == wanted)
            return 1;
    return 0;
}

static int
find_real(const struct version *version, const struct schema_column *schema,
          const struct column *c, struct str key, uint64_t *row, struct err *err)
{
    double wanted;
    if (!num_parse_f64(key, &wanted))
        return refuse_key(schema, key, err);
    uint64_t hash = key_hash_real(wanted), at = 0;
    while (key_index_next(index_of(version, c), hash, &at, row))
        if (c->reals[*row] == wanted)
            return 1;
    return 0;
}

/* 1: the row's original text is the key. */
static int
check_text(const struct version *version, uint64_t row, struct str key, struct err *err)
{
    struct value value;
    int got = rows_get(version->rows, row + 1, &version->schema.key_index, 1, &value, err);
    return got == 1 ? str_eq(value.text, key) : got;
}

static int
find_text(const struct version *version, const struct column *c, struct str key, uint64_t *row,
          struct err *err)
{
    char bytes[TEXT_KEY_BYTES_MAX * 3 / 2 + 4];
    if (key.n > TEXT_KEY_BYTES_MAX || !utf8_is_valid(key))
        return 0;
    struct str folded = {bytes, utf8_fold_into(bytes, key)};
    uint64_t hash = key_hash_text(folded), at = 0;
    int got = 0;
    while (got == 0 && key_index_next(index_of(version, c), hash, &at, row))
        if (str_eq(column_text(c, *row), folded))
            got = check_text(version, *row, key, err);
    return got;
}

static int
find_number(const struct version *version, struct str key, uint64_t *row, struct err *err)
{
    uint64_t number;
    if (!num_parse_u64(key, &number)) {
        (void)err_set_name(err, ERR_BAD_PARAMETER, NULL, STR("key"),
                           "key: '%" STR_FMT "' is not a row number",
                           STR_ARG(str_slice(key, 0, 80)));
        return -1;
    }
    *row = number - 1;
    return number >= 1 && number <= version->row_count;
}

int
query_find_key(const struct version *version, struct str key, uint64_t *row, struct err *err)
{
    size_t index = version->schema.key_index;
    if (index == SCHEMA_ROW_NUMBER)
        return find_number(version, key, row, err);
    const struct schema_column *schema = &version->schema.columns[index];
    const struct column *c = &version->columns.columns[index];
    uint64_t found = 0;
    int got = column_type_is_textual(c->type) ? find_text(version, c, key, &found, err)
              : c->type == COLUMN_REAL        ? find_real(version, schema, c, key, &found, err)
                                              : find_int(version, schema, c, key, &found, err);
    if (got == 1)
        *row = found;
    return got;
}
