/* A counting sort.  First each row's codes become places: the code itself,
 * of two columns the cell of a table, or the number of the pair in a hash table where that
 * would be too wide.  Places are counted, empty ones dropped, and then every row is put down
 * where its group's rows begin.  The hash table holds places alone: with 20,000 pairs a million
 * rows take some 15 ms less than with base/table, which keeps hashes. */
#include "embedded/groups_pairs.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/random.h"
#include "embedded/rows_walk.h"
#include "index/block.h"

#include <string.h>

#define TABLE_MAX (UINT64_C(1) << 20) /* 4 MiB of counts: about what a core's cache holds */
#define PAIRS_PER_LOOK 4096           /* at the clock; a microsecond of work at least */
#define FIRST_PLACES ((size_t)1024)

/* The codes of one row in one column, each once. */
struct row_codes {
    const struct groups_codes *codes;
    struct block_reader ids; /* where there is no codes->of_row */
    uint32_t *list;
    uint32_t *last_row; /* per code: the row that had it last, + 1 */
    size_t count;
};

struct builder {
    struct arena *a;
    const struct groups_question *question;
    struct groups_pairs *pairs;
    struct row_codes keys[GROUPS_KEYS_MAX];
    uint32_t *counts; /* per place */
    uint64_t place_count, place_cap;
    uint32_t *place_of; /* per pair, in the order of rows; NULL where rows are not asked for */
    uint32_t *per_row;  /* pairs of each selected row */
    uint64_t pair_count;
    bool is_hashed;
    uint64_t *hashed_keys; /* per place: both codes */
    uint32_t *slots;       /* place + 1, 0 free; a power of two, at most half full */
    size_t slot_count;
    uint64_t seed;
};

bool
embedded_groups_check_deadline(uint64_t deadline_us, struct err *err)
{
    if (!clock_is_past(deadline_us))
        return true;
    return err_set_code(err, ERR_BUSY, "deadline",
                        "grouping took longer than a request may; narrow the filter");
}

static inline void
read_row_codes(struct row_codes *r, uint64_t row)
{
    const struct groups_codes *codes = r->codes;
    if (codes->of_row) {
        r->list[0] = codes->of_row[row];
        r->count = 1;
        return;
    }
    size_t id_count, count = 0;
    const uint32_t *ids = block_ids(&r->ids, row, &id_count);
    uint32_t *list = r->list, *last_row = r->last_row, this_row = (uint32_t)row + 1;
    for (size_t i = 0; i < id_count; i++) {
        uint32_t code = MIN(ids[i], codes->null_code); /* a damaged file */
        list[count] = code; /* without a branch: overwritten when it is there already */
        count += last_row[code] != this_row;
        last_row[code] = this_row;
    }
    if (count == 0)
        list[count++] = codes->null_code;
    r->count = count;
}

static void
grow_places(struct builder *b)
{
    uint64_t cap = b->place_cap ? b->place_cap * 2 : FIRST_PLACES;
    uint32_t *counts = arena_array(b->a, cap, uint32_t);
    uint64_t *keys = arena_array(b->a, cap, uint64_t);
    if (b->place_cap) {
        memcpy(counts, b->counts, b->place_cap * sizeof(*counts));
        memcpy(keys, b->hashed_keys, b->place_cap * sizeof(*keys));
    }
    b->counts = counts;
    b->hashed_keys = keys;
    b->place_cap = cap;
    b->slot_count = 4 * cap;
    b->slots = arena_array(b->a, b->slot_count, uint32_t);
    for (uint64_t place = 0; place < b->place_count; place++) {
        size_t at = hash_u64(keys[place], b->seed) & (b->slot_count - 1);
        while (b->slots[at])
            at = (at + 1) & (b->slot_count - 1);
        b->slots[at] = (uint32_t)place + 1;
    }
}

/* GROUPS_NO_CODE: there are too many. */
static uint32_t
hashed_place(struct builder *b, uint32_t first, uint32_t second)
{
    uint64_t key = (uint64_t)first << 32 | second;
    if (b->place_count == b->place_cap)
        grow_places(b);
    size_t at = hash_u64(key, b->seed) & (b->slot_count - 1);
    for (; b->slots[at]; at = (at + 1) & (b->slot_count - 1))
        if (b->hashed_keys[b->slots[at] - 1] == key)
            return b->slots[at] - 1;
    if (b->place_count == b->question->group_count_max)
        return GROUPS_NO_CODE;
    b->hashed_keys[b->place_count] = key;
    b->slots[at] = (uint32_t)++b->place_count;
    return (uint32_t)b->place_count - 1;
}

static inline void
count_place(struct builder *b, uint32_t place)
{
    b->counts[place]++;
    if (b->place_of)
        b->place_of[b->pair_count] = place;
    b->pair_count++;
}

static inline bool
count_pair(struct builder *b, uint32_t first, uint32_t second)
{
    uint32_t place = b->is_hashed ? hashed_place(b, first, second)
                                  : first * b->pairs->codes[1].count + second;
    if (place == GROUPS_NO_CODE)
        return false;
    count_place(b, place);
    return true;
}

static inline bool
count_row(struct builder *b, uint64_t row)
{
    read_row_codes(&b->keys[0], row);
    if (b->pairs->key_count == 1) {
        const uint32_t *list = b->keys[0].list;
        size_t count = b->keys[0].count;
        for (size_t i = 0; i < count; i++)
            count_place(b, list[i]);
        return true;
    }
    read_row_codes(&b->keys[1], row);
    for (size_t i = 0; i < b->keys[0].count; i++)
        for (size_t k = 0; k < b->keys[1].count; k++)
            if (!count_pair(b, b->keys[0].list[i], b->keys[1].list[k]))
                return false;
    return true;
}

static bool
count_rows(struct builder *b, const struct bitmap *rows, uint64_t deadline_us, struct err *err)
{
    struct rows_walk walk = {.rows = rows};
    uint64_t row, done = 0, next_look = 0;
    while (embedded_rows_walk_next(&walk, &row)) {
        uint64_t before = b->pair_count;
        /* Rows of two long lists make a million pairs each. */
        if (before >= next_look) {
            if (!embedded_groups_check_deadline(deadline_us, err))
                return false;
            next_look = before + PAIRS_PER_LOOK;
        }
        if (!count_row(b, row))
            return embedded_groups_refuse_count(b->question->group_count_max, err);
        if (b->per_row)
            b->per_row[done] = (uint32_t)(b->pair_count - before);
        done++;
    }
    return true;
}

/* Numbers the places that are not empty, in their order; `counts` then holds group + 1. */
static bool
number_groups(struct builder *b, struct err *err)
{
    struct groups_pairs *p = b->pairs;
    uint64_t count = 0;
    for (uint64_t place = 0; place < b->place_count; place++)
        count += b->counts[place] > 0;
    if (count > b->question->group_count_max)
        return embedded_groups_refuse_count(b->question->group_count_max, err);
    p->keys = arena_alloc_array(b->a, count, sizeof(*p->keys));
    p->row_counts = arena_array(b->a, count, uint32_t);
    for (uint64_t place = 0; place < b->place_count; place++) {
        if (b->counts[place] == 0)
            continue;
        uint64_t key = b->is_hashed ? b->hashed_keys[place]
                       : p->key_count == 2
                           ? (place / p->codes[1].count) << 32 | place % p->codes[1].count
                           : place << 32;
        p->keys[p->count][0] = (uint32_t)(key >> 32);
        p->keys[p->count][1] = (uint32_t)key;
        p->row_counts[p->count] = b->counts[place];
        p->row_count_max = MAX(p->row_count_max, b->counts[place]);
        b->counts[place] = ++p->count;
    }
    return true;
}

static void
list_rows(struct builder *b, const struct bitmap *rows)
{
    struct groups_pairs *p = b->pairs;
    struct rows_walk walk = {.rows = rows};
    uint64_t row, done = 0, pair = 0;
    uint32_t *next = arena_array(b->a, p->count + 1, uint32_t);
    p->starts = arena_array(b->a, p->count + 1, uint32_t);
    p->rows = arena_array(b->a, b->pair_count, uint32_t);
    for (uint32_t g = 0; g < p->count; g++)
        p->starts[g + 1] = p->starts[g] + p->row_counts[g];
    memcpy(next, p->starts, p->count * sizeof(*next));
    const uint32_t *place_of = b->place_of, *group_of = b->counts; /* group + 1 */
    uint32_t *out = p->rows;
    while (embedded_rows_walk_next(&walk, &row))
        for (uint32_t left = b->per_row[done++]; left > 0; left--)
            out[next[group_of[place_of[pair++]] - 1]++] = (uint32_t)row;
}

/* The longest list of a row, and how many pairs the rows come to at most. */
static uint64_t
bound_pairs(struct builder *b, const struct bitmap *rows)
{
    size_t longest[GROUPS_KEYS_MAX] = {1, 1};
    struct rows_walk walk = {.rows = rows};
    uint64_t row, bound = 0;
    bool has_list = false;
    for (size_t i = 0; i < b->pairs->key_count; i++) {
        b->keys[i].codes = &b->pairs->codes[i];
        b->keys[i].ids = block_reader_of(b->pairs->codes[i].column, BLOCK_IDS);
        has_list = has_list || !b->pairs->codes[i].of_row;
    }
    if (!has_list)
        bound = bitmap_count(rows);
    while (has_list && embedded_rows_walk_next(&walk, &row)) {
        uint64_t here = 1;
        for (size_t i = 0; i < b->pairs->key_count; i++) {
            const struct groups_codes *codes = &b->pairs->codes[i];
            size_t count = 1;
            if (!codes->of_row)
                (void)block_ids(&b->keys[i].ids, row, &count);
            longest[i] = MAX(longest[i], count);
            here *= MAX(count, 1);
        }
        bound += here;
    }
    for (size_t i = 0; i < b->pairs->key_count; i++) {
        const struct groups_codes *codes = b->keys[i].codes;
        b->keys[i].list = arena_array(b->a, longest[i], uint32_t);
        if (!codes->of_row)
            b->keys[i].last_row = arena_array(b->a, codes->count, uint32_t);
    }
    return bound;
}

static void
make_places(struct builder *b)
{
    const struct groups_pairs *p = b->pairs;
    uint64_t table = p->codes[0].count;
    if (p->key_count == 2)
        table *= p->codes[1].count;
    b->is_hashed = p->key_count == 2 && table > TABLE_MAX;
    if (b->is_hashed) {
        random_bytes(&b->seed, sizeof(b->seed));
        grow_places(b);
    } else {
        b->place_count = table;
        b->counts = arena_array(b->a, table, uint32_t);
    }
}

static bool
make_codes(struct builder *b, const struct embedded_version *version, const struct bitmap *rows,
           uint64_t deadline_us, struct err *err)
{
    const struct groups_question *q = b->question;
    b->pairs->key_count = q->key_count;
    for (size_t i = 0; i < q->key_count; i++)
        if (!embedded_groups_check_deadline(deadline_us, err) ||
            !embedded_groups_codes_make(b->a, &version->columns.columns[q->keys[i].column],
                                        &q->keys[i], rows, false, q->group_count_max,
                                        &b->pairs->codes[i], err))
            return false;
    return true;
}

bool
embedded_groups_pairs_make(struct arena *a, const struct groups_question *question,
                           const struct embedded_version *version, const struct bitmap *rows,
                           bool with_rows, uint64_t deadline_us, struct groups_pairs *out,
                           struct err *err)
{
    struct builder b = {.a = a, .question = question, .pairs = out};
    *out = (struct groups_pairs){0};
    if (!make_codes(&b, version, rows, deadline_us, err))
        return false;
    uint64_t bound = bound_pairs(&b, rows);
    make_places(&b);
    if (with_rows && bound > GROUPS_PAIRS_MAX)
        return err_set_code(err, ERR_BAD_PARAMETER, "too_many_groups",
                            "the rows lie in groups more than %d times; narrow the filter, or "
                            "ask for count alone",
                            GROUPS_PAIRS_MAX);
    if (with_rows) {
        b.place_of = arena_array(a, bound, uint32_t);
        b.per_row = arena_array(a, bitmap_count(rows), uint32_t);
    }
    if (!count_rows(&b, rows, deadline_us, err) || !number_groups(&b, err))
        return false;
    if (with_rows)
        list_rows(&b, rows);
    return true;
}
