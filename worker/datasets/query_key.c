/* A row by its key (query_find_key of query.h).  Keys that ascend are halved; others are
 * scanned in blocks by the range kernel, some ten microseconds for 90,000 rows, which is less
 * than a map of keys would take to build in each worker.  Text is compared folded first, by the
 * order prefixes, and what fits is checked against the original bytes in rows.db. */
#include "base/num.h"
#include "base/utf8.h"
#include "datasets/filter_value.h"
#include "datasets/query.h"
#include "index/scan.h"

#define BLOCK_ROWS 4096 /* a block's words and the values fit the first cache levels */
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

/* The first row at or after `from` that holds the 64 bits, or `count`. */
static uint64_t
find_word(const int64_t *words, uint64_t count, uint64_t from, int64_t wanted)
{
    for (uint64_t start = from; start < count; start += BLOCK_ROWS) {
        uint64_t bits[BLOCK_ROWS / 64] = {0};
        struct column block = {.type = COLUMN_INTEGER,
                               .row_count = MIN(count - start, BLOCK_ROWS),
                               .ints = words + start};
        struct bitmap hits = {bits, block.row_count};
        scan_int_range(&block, wanted, wanted, &hits);
        uint64_t at = bitmap_next(&hits, 0);
        if (at < block.row_count)
            return start + at;
    }
    return count;
}

static uint64_t
halve(const int64_t *ascending, uint64_t count, int64_t wanted)
{
    uint64_t lo = 0, hi = count;
    while (lo < hi) {
        uint64_t middle = lo + (hi - lo) / 2;
        if (ascending[middle] < wanted)
            lo = middle + 1;
        else
            hi = middle;
    }
    return lo < count && ascending[lo] == wanted ? lo : count;
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
    *row = version->key_ascends ? halve(c->ints, c->row_count, wanted)
                                : find_word(c->ints, c->row_count, 0, wanted);
    return *row < c->row_count;
}

static int
find_real(const struct schema_column *schema, const struct column *c, struct str key,
          uint64_t *row, struct err *err)
{
    double wanted;
    if (!num_parse_f64(key, &wanted))
        return refuse_key(schema, key, err);
    for (uint64_t r = 0; r < c->row_count; r++)
        if (c->reals[r] == wanted) {
            *row = r;
            return 1;
        }
    return 0;
}

static int64_t
prefix_of(struct str folded)
{
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++)
        prefix = prefix << 8 | (i < folded.n ? (unsigned char)folded.p[i] : 0);
    return (int64_t)prefix;
}

static int
find_text(const struct version *version, const struct column *c, struct str key, uint64_t *row,
          struct err *err)
{
    char bytes[TEXT_KEY_BYTES_MAX * 3 / 2 + 4];
    size_t column = version->schema.key_index;
    const int64_t *prefixes = (const int64_t *)c->text.prefixes;
    if (key.n > TEXT_KEY_BYTES_MAX || !utf8_is_valid(key))
        return 0;
    struct str folded = {bytes, utf8_fold_into(bytes, key)};
    int64_t prefix = prefix_of(folded);
    for (uint64_t r = 0; (r = find_word(prefixes, c->row_count, r, prefix)) < c->row_count;
         r++) {
        struct value value;
        if (!str_eq(column_text(c, r), folded))
            continue;
        int got = rows_get(version->rows, r + 1, &column, 1, &value, err);
        if (got < 0)
            return -1;
        if (got == 1 && str_eq(value.text, key)) {
            *row = r;
            return 1;
        }
    }
    return 0;
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
              : c->type == COLUMN_REAL        ? find_real(schema, c, key, &found, err)
                                              : find_int(version, schema, c, key, &found, err);
    if (got == 1)
        *row = found;
    return got;
}
