#include "embedded/key.h"

#include "base/utf8.h"

static const struct key_index *
index_of(const struct embedded_version *version, const struct column *c)
{
    if (!version->keys->slots)
        embedded_key_index_build(version->keys, c);
    return version->keys;
}

static int
halve(const struct column *ascending, int64_t wanted, uint64_t *row)
{
    uint64_t lo = 0, hi = ascending->row_count;
    while (lo < hi) {
        uint64_t middle = lo + (hi - lo) / 2;
        if (column_number(ascending, middle).i < wanted)
            lo = middle + 1;
        else
            hi = middle;
    }
    *row = lo;
    return lo < ascending->row_count && column_number(ascending, lo).i == wanted;
}

static int
find_int(const struct embedded_version *version, const struct column *c, int64_t wanted,
         uint64_t *row)
{
    uint64_t hash = embedded_key_hash_int(wanted), at = 0;
    if (version->key_ascends)
        return halve(c, wanted, row);
    while (embedded_key_index_next(index_of(version, c), hash, &at, row))
        if (column_number(c, *row).i == wanted)
            return 1;
    return 0;
}

static int
find_real(const struct embedded_version *version, const struct column *c, double wanted,
          uint64_t *row)
{
    uint64_t hash = embedded_key_hash_real(wanted), at = 0;
    while (embedded_key_index_next(index_of(version, c), hash, &at, row))
        if (column_number(c, *row).d == wanted)
            return 1;
    return 0;
}

/* 1: the row's original text is the key. */
static int
check_text(const struct embedded_version *version, uint64_t row, struct str key,
           struct err *err)
{
    struct value value;
    int got =
        rows_get(version->rows, row + 1, &version->common.schema.key_index, 1, &value, err);
    return got == 1 ? str_eq(value.text, key) : got;
}

static int
find_text(struct arena *a, const struct embedded_version *version, const struct column *c,
          struct str key, uint64_t *row, struct err *err)
{
    struct str folded = utf8_folded(a, key);
    uint64_t hash = embedded_key_hash_text(folded), at = 0;
    int got = 0;
    while (got == 0 && embedded_key_index_next(index_of(version, c), hash, &at, row))
        if (str_eq(column_text(c, *row), folded))
            got = check_text(version, *row, key, err);
    return got;
}

int
embedded_key_find(struct arena *a, const struct embedded_version *version,
                  const struct value *key, uint64_t *row, struct err *err)
{
    size_t index = version->common.schema.key_index;
    uint64_t found = 0;
    int got;
    if (key->is_null)
        return 0;
    if (index == SCHEMA_ROW_NUMBER) {
        found = (uint64_t)key->i - 1;
        got = found < version->row_count;
    } else {
        const struct column *c = &version->columns.columns[index];
        got = column_type_is_textual(c->type) ? find_text(a, version, c, key->text, &found, err)
              : c->type == COLUMN_REAL        ? find_real(version, c, key->d, &found)
                                              : find_int(version, c, key->i, &found);
    }
    if (got == 1)
        *row = found;
    return got;
}
