/* What recounting the ledger finds. */
#include "base/sha256.h"
#include "temp_wallet.h"

/* The format of the chain is a promise to whoever recounts it without this program. */
static void
the_chain_is_what_its_header_says(void **state UNUSED)
{
    unsigned char before[LEDGER_HASH_BYTES], expected[SHA256_BYTES], hash[LEDGER_HASH_BYTES];
    memset(before, 0xab, sizeof(before));
    struct ledger_entry entry = {.id = 0x0102030405060708,
                                 .player_id = 2,
                                 .is_spend = true,
                                 .amount = 3,
                                 .balance_after = 4,
                                 .reason = STR("hi"),
                                 .event_id = 6,
                                 .created_at = 5};
    char text[32 + 48 + 2];
    memset(text, 0xab, 32);
    memcpy(text + 32,
           "\x08\x07\x06\x05\x04\x03\x02\x01"
           "\x02\0\0\0\0\0\0\0"
           "\xfd\xff\xff\xff\xff\xff\xff\xff"
           "\x04\0\0\0\0\0\0\0"
           "\x05\0\0\0\0\0\0\0"
           "\x06\0\0\0\0\0\0\0"
           "hi",
           50);
    sha256_of((struct str){text, sizeof(text)}, expected);
    ledger_chain(before, &entry, hash);
    assert_memory_equal(hash, expected, LEDGER_HASH_BYTES);
}

/* Entries 1, 4, 7 of player 1; 2, 5, 8 of 2; 3, 6, 9 of 3. */
static void
set_up_ledger(struct temp_db *t)
{
    add_players(t);
    for (int i = 0; i < 9; i++) {
        struct wallet_request request = {.player_id = 1 + i % PLAYERS,
                                         .is_spend = i >= 6,
                                         .amount = i >= 6 ? 5 : 10 + i,
                                         .reason = STR("why")};
        run_ok(t, &request);
    }
    assert_int_equal(verify(t, NULL), 0);
    temp_db_exec(t, "DROP TRIGGER ledger_entry_stays; DROP TRIGGER ledger_entry_remains;"
                    "PRAGMA foreign_keys = 0; PRAGMA ignore_check_constraints = 1;"
                    "CREATE TABLE kept_entry AS SELECT * FROM ledger_entry;"
                    "CREATE TABLE kept_player AS SELECT * FROM player;");
}

static void
restore_ledger(struct temp_db *t)
{
    temp_db_exec(t, "DELETE FROM ledger_entry; INSERT INTO ledger_entry SELECT * FROM "
                    "kept_entry; DELETE FROM player; INSERT INTO player SELECT * FROM "
                    "kept_player;");
    assert_int_equal(verify(t, NULL), 0);
}

static void
assert_found(struct temp_db *t, const char *tampering, int64_t player_id)
{
    struct wallet_faults first;
    struct ledger_verdict verdict;
    temp_db_exec(t, tampering);
    if (verify(t, &first) == 0)
        fail_msg("not found: %s", tampering);
    if (player_id && first.player_id != player_id)
        fail_msg("found at player %lld: %s", (long long)first.player_id, tampering);
    if (verify_sample(t, 10, &verdict) == 0)
        fail_msg("not found by the sample: %s", tampering);
    restore_ledger(t);
}

static void
a_change_of_any_column_of_any_entry_is_found(void **state)
{
    static const char *const CHANGES[] = {
        "id = id + 1000",
        "id = -id",
        "operation = CASE operation WHEN 'earn' THEN 'spend' ELSE 'earn' END",
        "operation = 'gift'",
        "amount = amount + 1",
        "amount = -amount",
        "amount = -amount, operation = CASE operation WHEN 'earn' THEN 'spend' ELSE 'earn' END",
        "amount = 0",
        "amount = 9223372036854775807",
        "balance_after = balance_after + 1",
        "balance_after = -1",
        "reason = 'whY'",
        "reason = ''",
        "reason = reason || printf('%300c', 'x')",
        "event_id = event_id + 1",
        "created_at = created_at - 1",
        "hash = zeroblob(32)",
        "hash = zeroblob(31)",
    };
    struct temp_db *t = *state;
    set_up_ledger(t);
    for (int64_t id = 1; id <= 9; id++)
        for (size_t i = 0; i < COUNT_OF(CHANGES); i++)
            assert_found(t,
                         arena_printf(&t->arena, "UPDATE ledger_entry SET %s WHERE id = %lld",
                                      CHANGES[i], (long long)id)
                             .p,
                         1 + (id - 1) % PLAYERS);
}

static void
an_entry_that_moves_or_goes_is_found(void **state)
{
    static const char *const TAMPERINGS[] = {
        "DELETE FROM ledger_entry WHERE id = %lld",
        "UPDATE ledger_entry SET player_id = 1 + player_id %% 3 WHERE id = %lld",
        "INSERT INTO ledger_entry SELECT id + 100, player_id, operation, amount, balance_after,"
        " reason, event_id, created_at, hash FROM ledger_entry WHERE id = %lld",
    };
    struct temp_db *t = *state;
    set_up_ledger(t);
    for (int64_t id = 1; id <= 9; id++)
        for (size_t i = 0; i < COUNT_OF(TAMPERINGS); i++) {
            char sql[512];
            /* One of the three literals above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(sql, sizeof(sql), TAMPERINGS[i], (long long)id);
#pragma GCC diagnostic pop
            assert_found(t, sql, 0);
        }
}

static void
a_change_of_a_players_row_is_found(void **state)
{
    struct temp_db *t = *state;
    set_up_ledger(t);
    assert_found(t, "UPDATE player SET balance = balance + 1 WHERE id = 2", 2);
    assert_found(t, "UPDATE player SET ledger_count = ledger_count - 1 WHERE id = 3", 3);
    assert_found(t, "UPDATE player SET ledger_hash = zeroblob(32) WHERE id = 1", 1);
    assert_found(t, "DELETE FROM ledger_entry WHERE player_id = 2", 2);
}

static void
an_entry_of_nobody_is_found(void **state)
{
    struct temp_db *t = *state;
    struct wallet_faults first;
    set_up_ledger(t);
    temp_db_exec(t, "UPDATE ledger_entry SET player_id = 9000000000 WHERE id = 5");
    assert_true(verify(t, &first) > 0);
    temp_db_exec(t, "DELETE FROM player WHERE id <> 2");
    assert_true(verify(t, &first) > 0);
    assert_int_equal(first.player_id, 1);
    assert_int_equal(first.entry_id, 1);
}

/* A name that was taken has cost an id, for one. */
static void
ids_with_gaps_are_no_fault(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    temp_db_exec(t, "INSERT INTO player (id, username, username_folded, password_hash, "
                    "created_at) VALUES (5, 'p5', 'p5', 'x', 1), (7, 'p7', 'p7', 'x', 1)");
    earn(t, 5, 10);
    earn(t, 7, 20);
    assert_int_equal(verify(t, NULL), 0);
    temp_db_exec(t, "UPDATE player SET balance = 9 WHERE id = 5");
    struct wallet_faults first;
    assert_int_equal(verify(t, &first), 1);
    assert_int_equal(first.player_id, 5);
}

static void
one_fault_is_told_once(void **state)
{
    struct temp_db *t = *state;
    struct wallet_faults first;
    set_up_ledger(t);
    temp_db_exec(t, "UPDATE ledger_entry SET reason = 'other' WHERE id = 4");
    assert_int_equal(verify(t, &first), 1);
    assert_int_equal(first.player_id, 1);
    assert_int_equal(first.entry_id, 4);
    assert_non_null(strstr(first.what, "hash"));
}

static void
players_without_entries_have_nothing(void **state)
{
    struct temp_db *t = *state;
    struct ledger_verdict verdict;
    assert_int_equal(verify(t, NULL), 0);
    assert_int_equal(verify_sample(t, 10, &verdict), 0);
    add_players(t);
    assert_int_equal(verify(t, NULL), 0);
    assert_int_equal(verify_sample(t, 10, &verdict), 0);
    assert_int_equal(verdict.player_count, PLAYERS);
    temp_db_exec(t, "UPDATE player SET balance = 1 WHERE id = 2");
    assert_int_equal(verify(t, NULL), 1);
}

static void
a_sample_looks_at_the_newest_entries(void **state)
{
    struct temp_db *t = *state;
    struct ledger_verdict verdict;
    add_players(t);
    temp_db_exec(t, "PRAGMA synchronous = OFF");
    for (int i = 0; i < LEDGER_SAMPLE_ENTRIES + 5; i++)
        earn(t, 1, 1);
    assert_int_equal(verify_sample(t, 2, &verdict), 0);
    assert_int_equal(verdict.player_count, 2);
    assert_int_equal(verify_sample(t, 10, &verdict), 0);
    temp_db_exec(t, "DROP TRIGGER ledger_entry_stays");
    temp_db_exec(t, "UPDATE ledger_entry SET amount = 2 WHERE id = 6");
    assert_int_equal(verify_sample(t, 6, &verdict), 2);
    temp_db_exec(t, "UPDATE ledger_entry SET amount = 1 WHERE id = 6");
    temp_db_exec(t, "UPDATE ledger_entry SET reason = 'x' WHERE id = 4");
    assert_int_equal(verify_sample(t, 6, &verdict), 0);
    assert_int_equal(verify(t, NULL), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_is_what_its_header_says),
        DB_TEST(a_change_of_any_column_of_any_entry_is_found),
        DB_TEST(an_entry_that_moves_or_goes_is_found),
        DB_TEST(a_change_of_a_players_row_is_found),
        DB_TEST(an_entry_of_nobody_is_found),
        DB_TEST(ids_with_gaps_are_no_fault),
        DB_TEST(one_fault_is_told_once),
        DB_TEST(players_without_entries_have_nothing),
        DB_TEST(a_sample_looks_at_the_newest_entries),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
