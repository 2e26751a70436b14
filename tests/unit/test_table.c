/* The table of places finds what a plain list finds, however badly the hashes are spread. */
#include "base/table.h"
#include "dice.h"

#define ENTRIES_MAX 3000

/* What the table is checked against: the values in their order, looked through from the
 * front. */
struct model {
    uint64_t values[ENTRIES_MAX];
    uint64_t hash_mask; /* few bits: most entries have the hash of others */
    size_t count;
};

static uint64_t
hash_of(const struct model *m, uint64_t value)
{
    return hash_u64(value, 1) & m->hash_mask;
}

static size_t
model_find(const struct model *m, uint64_t value)
{
    size_t i = 0;
    while (i < m->count && m->values[i] != value)
        i++;
    return i;
}

/* The place, or the count where the value is not there. */
static size_t
table_find(const struct table *t, const struct model *m, uint64_t value)
{
    struct table_probe probe = table_probe(hash_of(m, value));
    while (table_next(t, &probe)) {
        assert_true(probe.place < m->count);
        if (m->values[probe.place] == value)
            return probe.place;
    }
    return m->count;
}

/* Each entry of the hash comes, and comes once. */
static void
check_candidates(const struct table *t, const struct model *m, uint64_t hash)
{
    bool is_seen[ENTRIES_MAX] = {0};
    struct table_probe probe = table_probe(hash);
    while (table_next(t, &probe)) {
        assert_false(is_seen[probe.place]);
        is_seen[probe.place] = true;
    }
    for (size_t i = 0; i < m->count; i++)
        assert_true(is_seen[i] || hash_of(m, m->values[i]) != hash);
}

static void
fill(struct table *t, struct model *m, uint64_t value_limit)
{
    uint64_t count = dice_below(dice_below(4) ? 40 : ENTRIES_MAX) + 1;
    for (size_t i = 0; i < count; i++) {
        uint64_t value = dice_below(value_limit);
        size_t found = model_find(m, value), slots_before = t->slot_count;
        assert_int_equal(table_find(t, m, value), found);
        dice_reach("there already", found < m->count);
        if (found < m->count)
            continue;
        m->values[m->count] = value;
        table_add(t, hash_of(m, value), (uint32_t)m->count++);
        dice_reach("grown", slots_before && t->slot_count > slots_before);
        assert_true(t->count * 4 <= t->slot_count * 3);
    }
}

static void
places_are_those_of_a_plain_list(void **state UNUSED)
{
    static const uint64_t HASH_MASKS[] = {UINT64_MAX, 0, 7, UINT64_C(0xf0000000),
                                          UINT64_C(0xffffffff00000000)};
    dice_begin(__func__);
    for (size_t round = 0; round < dice_rounds(300); round++) {
        static struct model m;
        m = (struct model){.hash_mask = HASH_MASKS[dice_below(COUNT_OF(HASH_MASKS))]};
        scoped_arena a = {0};
        bool is_in_arena = dice_below(2);
        struct table t = {.arena = is_in_arena ? &a : NULL};
        if (dice_below(2))
            table_reserve(&t, dice_below(100));
        fill(&t, &m, dice_below(2) ? 50 : UINT64_MAX >> 8);
        for (size_t i = 0; i < m.count; i++)
            assert_int_equal(table_find(&t, &m, m.values[i]), i);
        check_candidates(&t, &m, hash_of(&m, m.values[0]));
        check_candidates(&t, &m, dice_u64() & m.hash_mask);
        dice_reach("in an arena", is_in_arena);
        dice_reach("all of one hash", m.hash_mask == 0 && m.count > 1);
        if (!is_in_arena)
            table_free(&t);
    }
    dice_end();
}

static void
a_reserved_table_does_not_grow(void **state UNUSED)
{
    for (size_t count = 0; count < 200; count++) {
        scoped_table t = {0};
        table_reserve(&t, count);
        size_t slot_count = t.slot_count;
        for (size_t i = 0; i < count; i++)
            table_add(&t, hash_u64(i, 0), (uint32_t)i);
        assert_int_equal(t.slot_count, slot_count);
        table_reserve(&t, 0);
        assert_int_equal(t.count, count);
        assert_int_equal(t.slot_count, slot_count);
    }
}

static void
the_last_place_is_one_below_the_largest_number(void **state UNUSED)
{
    scoped_table t = {0};
    table_add(&t, UINT64_MAX, UINT32_MAX - 1);
    table_add(&t, UINT64_MAX, 0);
    struct table_probe probe = table_probe(UINT64_MAX);
    assert_true(table_next(&t, &probe));
    assert_int_equal(probe.place, UINT32_MAX - 1);
    assert_true(table_next(&t, &probe));
    assert_int_equal(probe.place, 0);
    assert_false(table_next(&t, &probe));
}

static void
a_zeroed_table_is_empty(void **state UNUSED)
{
    scoped_table t = {0};
    struct table_probe probe = table_probe(0);
    assert_false(table_next(&t, &probe));
    table_free(&t);
    table_add(&t, 5, 5);
    table_free(&t);
    probe = table_probe(5);
    assert_false(table_next(&t, &probe));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_those_of_a_plain_list),
        cmocka_unit_test(a_reserved_table_does_not_grow),
        cmocka_unit_test(the_last_place_is_one_below_the_largest_number),
        cmocka_unit_test(a_zeroed_table_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
