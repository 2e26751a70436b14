/* Integers in a narrow range are looked up by their distance from the
 * least; all else goes through a hash table of words.  Text goes by the hash that the columns
 * file has of each cell, taken of the original bytes with a random seed, and by comparing the
 * folded ones.  Slots hold codes alone: 12 ms for a million rows of 300 different integers and
 * 18 of texts, where base/table, which keeps hashes, takes 15 and 22. */
#include "embedded/groups_codes.h"

#include "base/hash.h"
#include "base/random.h"
#include "embedded/rows_walk.h"
#include "index/block.h"
#include "query/groups_word.h"

#define NARROW_MIN (UINT64_C(1) << 16)
#define FIRST_SLOTS ((size_t)1024)

struct coder {
    struct arena *a;
    struct groups_codes *codes;
    struct block_reader values; /* of the column */
    size_t word_cap, row_cap;
    uint32_t count_max;
    bool is_text;
    uint32_t *slots; /* code + 1, 0 free; a power of two, at most half full */
    size_t slot_count;
    uint64_t seed;
};

bool
embedded_groups_refuse_count(uint32_t count_max, struct err *err)
{
    return err_set_code(err, ERR_BAD_PARAMETER, "too_many_groups",
                        "there are more than %u groups; group by larger parts or bins, or "
                        "narrow the filter",
                        count_max);
}

/* GROUPS_NO_CODE: there is no room for another. */
static uint32_t
new_code(struct coder *c, uint64_t word, uint64_t row)
{
    struct groups_codes *codes = c->codes;
    if (codes->count == c->count_max)
        return GROUPS_NO_CODE;
    uint32_t code = codes->count++;
    codes->words =
        arena_grow(c->a, codes->words, &c->word_cap, codes->count, sizeof(*codes->words));
    codes->words[code] = word;
    if (c->is_text) {
        codes->rows =
            arena_grow(c->a, codes->rows, &c->row_cap, codes->count, sizeof(*codes->rows));
        codes->rows[code] = (uint32_t)row;
    }
    return code;
}

static size_t
first_slot(const struct coder *c, uint64_t word)
{
    return hash_word(word, c->seed) & (c->slot_count - 1);
}

static void
grow_slots(struct coder *c)
{
    c->slot_count = c->slot_count ? c->slot_count * 4 : FIRST_SLOTS;
    c->slots = arena_array(c->a, c->slot_count, uint32_t);
    for (uint32_t code = 0; code < c->codes->count; code++) {
        if (code == c->codes->null_code)
            continue;
        size_t at = first_slot(c, c->codes->words[code]);
        while (c->slots[at])
            at = (at + 1) & (c->slot_count - 1);
        c->slots[at] = code + 1;
    }
}

static bool
is_same(const struct coder *c, uint32_t code, uint64_t word, uint64_t row)
{
    const struct groups_codes *codes = c->codes;
    return codes->words[code] == word &&
           (!c->is_text || str_eq(column_text(codes->column, codes->rows[code]),
                                  column_text(codes->column, row)));
}

static uint32_t
code_of_word(struct coder *c, uint64_t word, uint64_t row)
{
    if (c->codes->count >= c->slot_count / 2)
        grow_slots(c);
    size_t at = first_slot(c, word);
    for (; c->slots[at]; at = (at + 1) & (c->slot_count - 1))
        if (is_same(c, c->slots[at] - 1, word, row))
            return c->slots[at] - 1;
    uint32_t code = new_code(c, word, row);
    if (code != GROUPS_NO_CODE)
        c->slots[at] = code + 1;
    return code;
}

static bool
give_null(struct coder *c, uint64_t row)
{
    struct groups_codes *codes = c->codes;
    if (codes->null_code == GROUPS_NO_CODE)
        codes->null_code = new_code(c, 0, row);
    codes->of_row[row] = codes->null_code;
    return codes->null_code != GROUPS_NO_CODE;
}

/* The row is not null. */
static uint64_t
word_of_row(struct coder *c, uint64_t row)
{
    const struct groups_key *key = c->codes->key;
    if (c->is_text)
        return block_word(&c->values, row);
    if (c->values.form == BLOCK_REALS)
        return groups_word_of_real(key, block_real(&c->values, row));
    int64_t v = block_int(&c->values, row);
    return groups_word_is_real(key) ? groups_word_of_real(key, (double)v)
                                    : (uint64_t)groups_word_of_int(key, v);
}

/* The widest table by distance is as long as a quarter of what the rows' codes take. */
static bool
is_narrow(const struct coder *c, int64_t *lo, uint64_t *width)
{
    const struct column *column = c->codes->column;
    if (c->values.form != BLOCK_INTS || groups_word_is_real(c->codes->key) ||
        !column->summary.has_range)
        return false;
    *lo = groups_word_of_int(c->codes->key, column->summary.min.i);
    int64_t hi = groups_word_of_int(c->codes->key, column->summary.max.i);
    *width = (uint64_t)hi - (uint64_t)*lo;
    return *width < MAX(NARROW_MIN, column->row_count / 4);
}

static bool
code_narrow(struct coder *c, const struct bitmap *rows, int64_t lo, uint64_t width)
{
    struct groups_codes *codes = c->codes;
    uint32_t *table = arena_array(c->a, width + 1, uint32_t); /* code + 1 */
    struct rows_walk walk = {.rows = rows};
    uint64_t row;
    while (embedded_rows_walk_next(&walk, &row)) {
        if (block_is_null(&c->values, row)) {
            if (!give_null(c, row))
                return false;
            continue;
        }
        uint64_t word = word_of_row(c, row);
        uint64_t distance = MIN(word - (uint64_t)lo, width); /* a damaged summary */
        if (table[distance] == 0)
            table[distance] = new_code(c, word, row) + 1;
        if (table[distance] == 0)
            return false;
        codes->of_row[row] = table[distance] - 1;
    }
    return true;
}

static bool
code_hashed(struct coder *c, const struct bitmap *rows)
{
    struct groups_codes *codes = c->codes;
    struct rows_walk walk = {.rows = rows};
    uint64_t row;
    while (embedded_rows_walk_next(&walk, &row)) {
        if (block_is_null(&c->values, row)) {
            if (!give_null(c, row))
                return false;
            continue;
        }
        codes->of_row[row] = code_of_word(c, word_of_row(c, row), row);
        if (codes->of_row[row] == GROUPS_NO_CODE)
            return false;
    }
    return true;
}

bool
embedded_groups_codes_make(struct arena *a, const struct column *column,
                           const struct groups_key *key, const struct bitmap *rows,
                           bool raw_lists, uint32_t count_max, struct groups_codes *out,
                           struct err *err)
{
    struct groups_codes codes = {.column = column, .key = key, .null_code = GROUPS_NO_CODE};
    if (column->type == COLUMN_LIST && !raw_lists) {
        codes.null_code = column_element_count(column);
        codes.count = codes.null_code + 1;
        *out = codes;
        return true;
    }
    assert(column->row_count < UINT32_MAX);
    codes.of_row = arena_array(a, column->row_count, uint32_t);
    struct coder coder = {.a = a,
                          .codes = &codes,
                          .values = block_reader_of(column, block_value_form(column)),
                          .count_max = MIN(count_max, GROUPS_NO_CODE - 1),
                          .is_text = column_type_is_textual(column->type)};
    random_bytes(&coder.seed, sizeof(coder.seed));
    int64_t lo;
    uint64_t width;
    if (!(is_narrow(&coder, &lo, &width) ? code_narrow(&coder, rows, lo, width)
                                         : code_hashed(&coder, rows)))
        return embedded_groups_refuse_count(count_max, err);
    *out = codes;
    return true;
}

static int
compare_texts(const struct groups_codes *codes, uint32_t a, uint32_t b)
{
    int way = column_compare(codes->column, codes->rows[a], codes->rows[b]);
    return way ? way : codes->rows[a] < codes->rows[b] ? -1 : 1;
}

static int
compare_elements(const struct column *c, uint32_t a, uint32_t b)
{
    int way = str_cmp(column_element_folded(c, a), column_element_folded(c, b));
    return way ? way : str_cmp(column_element(c, a), column_element(c, b));
}

int
embedded_groups_codes_compare(const struct groups_codes *codes, uint32_t a, uint32_t b)
{
    if (a == b)
        return 0;
    if (a == codes->null_code || b == codes->null_code)
        return a == codes->null_code ? 1 : -1;
    if (!codes->of_row)
        return compare_elements(codes->column, a, b);
    if (column_type_is_textual(codes->column->type))
        return compare_texts(codes, a, b);
    if (groups_word_is_real(codes->key))
        return groups_real_of_word(codes->words[a]) < groups_real_of_word(codes->words[b]) ? -1
                                                                                           : 1;
    return (int64_t)codes->words[a] < (int64_t)codes->words[b] ? -1 : 1;
}
