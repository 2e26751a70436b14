/* The wallet against a plain model of it: what each request answers, and what is left in the
 * database after it. */
#include "base/hash.h"
#include "players/wallet.h"
#include "temp_db.h"

#include <string.h>

#define PLAYERS 3

static void
add_players(struct temp_db *t)
{
    for (int i = 1; i <= PLAYERS; i++)
        temp_db_exec(t, arena_printf(&t->arena,
                                     "INSERT INTO player (username, username_folded, "
                                     "password_hash, created_at) VALUES ('p%d', 'p%d', 'x', 1)",
                                     i, i)
                            .p);
}

static int64_t
number(struct temp_db *t, const char *sql)
{
    struct err err = {0};
    int64_t v;
    if (!sqlite_read_i64(db_handle(t->db), sql, &v, &err))
        fail_msg("%s", err.detail);
    return v;
}

static struct wallet_receipt
run_ok(struct temp_db *t, const struct wallet_request *request)
{
    struct err err = {0};
    struct wallet_receipt receipt;
    if (!wallet_run(t->writer, request, &receipt, &err))
        fail_msg("%s: %s", err_code(&err), err.detail);
    return receipt;
}

static struct wallet_receipt
earn(struct temp_db *t, int64_t player_id, int64_t amount)
{
    struct wallet_request request = {.player_id = player_id, .amount = amount};
    return run_ok(t, &request);
}

static void
assert_refused(struct temp_db *t, const struct wallet_request *request, const char *code)
{
    struct err err = {0};
    struct wallet_receipt receipt;
    int64_t changes = db_total_changes(t->db);
    assert_false(wallet_run(t->writer, request, &receipt, &err));
    assert_string_equal(err_code(&err), code);
    assert_int_equal(db_total_changes(t->db), changes);
}

static void
an_earn_moves_balance_ledger_and_event_together(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    struct wallet_request request = {.player_id = 2, .amount = 70, .reason = STR("a \"gift\"")};
    struct wallet_receipt receipt = run_ok(t, &request);
    assert_int_equal(receipt.balance, 70);
    assert_false(receipt.is_replayed);
    assert_int_equal(number(t, "SELECT balance FROM player WHERE id = 2"), 70);
    assert_int_equal(number(t, "SELECT event_id FROM ledger_entry"), receipt.event_id);
    assert_int_equal(number(t, "SELECT id FROM event"), receipt.event_id);
    assert_int_equal(number(t, "SELECT count(*) FROM event WHERE json_extract(meta, '$.reason')"
                               " = 'a \"gift\"' AND json_extract(meta, '$.amount') = 70"
                               " AND json_extract(meta, '$.balance') = 70"),
                     1);
    assert_int_equal(number(t, "SELECT json_extract(meta, '$.ledger_id') FROM event"),
                     receipt.ledger_id);
}

static void
nobody_spends_what_is_not_there(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    earn(t, 1, 10);
    struct wallet_request request = {
        .player_id = 1, .is_spend = true, .amount = 11, .reason = STR("sword")};
    assert_refused(t, &request, "insufficient_funds");
    request.amount = 10;
    assert_int_equal(run_ok(t, &request).balance, 0);
    assert_refused(t, &request, "insufficient_funds");
}

static void
a_balance_stops_at_two_to_the_53(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    temp_db_exec(t, "UPDATE player SET balance = 9007199254740990 WHERE id = 1");
    struct wallet_request request = {.player_id = 1, .amount = 2};
    assert_refused(t, &request, "balance_limit");
    request.amount = 1;
    assert_int_equal(run_ok(t, &request).balance, WALLET_BALANCE_MAX);
    assert_refused(t, &request, "balance_limit");
}

static void
a_key_gives_one_effect_per_player_and_operation(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    struct wallet_request request = {
        .player_id = 1, .amount = 5, .reason = STR("x"), .idempotency_key = STR("k")};
    struct wallet_receipt first = run_ok(t, &request);
    earn(t, 1, 100);
    struct wallet_receipt again = run_ok(t, &request);
    assert_true(again.is_replayed);
    assert_int_equal(again.balance, first.balance);
    assert_int_equal(again.ledger_id, first.ledger_id);
    assert_int_equal(again.event_id, first.event_id);
    request.is_spend = true;
    assert_false(run_ok(t, &request).is_replayed);
    request.is_spend = false;
    request.player_id = 2;
    assert_false(run_ok(t, &request).is_replayed);
    request.amount = 6;
    assert_refused(t, &request, "idempotency_key_reused");
    request.amount = 5;
    request.reason = STR("y");
    assert_refused(t, &request, "idempotency_key_reused");
}

static void
a_refusal_does_not_use_its_key_up(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    struct wallet_request request = {.player_id = 1,
                                     .is_spend = true,
                                     .amount = 5,
                                     .reason = STR("x"),
                                     .idempotency_key = STR("k")};
    assert_refused(t, &request, "insufficient_funds");
    earn(t, 1, 5);
    assert_false(run_ok(t, &request).is_replayed);
}

static void
who_is_gone_has_no_wallet(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    int64_t balance;
    add_players(t);
    temp_db_exec(t, "UPDATE player SET deleted_at = 1, username_folded = NULL WHERE id = 1");
    struct wallet_request request = {.player_id = 1, .amount = 5};
    assert_refused(t, &request, "not_found");
    request.player_id = 77;
    assert_refused(t, &request, "not_found");
    assert_false(wallet_balance(t->db, 1, &balance, &err));
    assert_int_equal(err.kind, ERR_NOT_FOUND);
}

static void
a_key_is_visible_ascii(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    char longest[WALLET_KEY_BYTES_MAX + 1];
    memset(longest, '~', sizeof(longest));
    struct wallet_request request = {.player_id = 1, .amount = 5};
    const struct str bad[] = {
        STR("a b"), STR("a\tb"), STR("\x7f"), STR("\xc3\xa9"), {longest, sizeof(longest)}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        request.idempotency_key = bad[i];
        assert_refused(t, &request, "bad_parameter");
    }
    request.idempotency_key = (struct str){longest, WALLET_KEY_BYTES_MAX};
    assert_false(run_ok(t, &request).is_replayed);
    assert_true(run_ok(t, &request).is_replayed);
}

static void
the_ledger_lists_the_newest_first(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct ledger_entry *entries;
    size_t count;
    add_players(t);
    for (int i = 1; i <= 5; i++) {
        earn(t, 1, i);
        earn(t, 2, 1);
    }
    assert_true(ledger_list(&t->arena, t->db, 1, 0, 3, &entries, &count, &err));
    assert_int_equal(count, 3);
    assert_int_equal(entries[0].amount, 5);
    assert_int_equal(entries[0].balance_after, 15);
    assert_true(ledger_list(&t->arena, t->db, 1, entries[2].id, 3, &entries, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(entries[1].amount, 1);
}

static void
the_ledger_is_append_only(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    add_players(t);
    earn(t, 1, 5);
    assert_false(sqlite_exec(db_handle(t->db), "UPDATE ledger_entry SET amount = 6", &err));
    assert_false(sqlite_exec(db_handle(t->db), "DELETE FROM ledger_entry", &err));
}

static const struct json_value *
json(struct temp_db *t, const char *text)
{
    struct err err = {0};
    const struct json_value *value;
    if (!json_read(&t->arena, str_from(text), &value, &err))
        fail_msg("%s", err.detail);
    return value;
}

static void
a_body_is_an_amount_and_a_reason(void **state)
{
    struct temp_db *t = *state;
    static const struct {
        const char *body, *name;
        bool is_spend;
    } BAD[] = {
        {"[]", "", false},
        {"5", "", false},
        {"{}", "amount", false},
        {"{\"reason\":\"x\"}", "amount", false},
        {"{\"amount\":0}", "amount", false},
        {"{\"amount\":-1}", "amount", false},
        {"{\"amount\":1.0}", "amount", false},
        {"{\"amount\":1e3}", "amount", false},
        {"{\"amount\":1000000000001}", "amount", false},
        {"{\"amount\":9223372036854775808}", "amount", false},
        {"{\"amount\":99999999999999999999999999}", "amount", false},
        {"{\"amount\":\"5\"}", "amount", false},
        {"{\"amount\":true}", "amount", false},
        {"{\"amount\":null}", "amount", false},
        {"{\"amount\":[5]}", "amount", false},
        {"{\"amount\":5,\"reason\":null}", "reason", false},
        {"{\"amount\":5,\"reason\":7}", "reason", false},
        {"{\"amount\":5,\"reason\":\"a\\nb\"}", "reason", false},
        {"{\"amount\":5,\"reason\":\"a\\u007f\"}", "reason", false},
        {"{\"amount\":5,\"reason\":\"a\\u0085\"}", "reason", false},
        {"{\"amount\":5,\"player_id\":1}", "player_id", false},
        {"{\"Amount\":5}", "Amount", false},
        {"{\"amount\":5}", "reason", true},
        {"{\"amount\":5,\"reason\":\"\"}", "reason", true},
    };
    for (size_t i = 0; i < COUNT_OF(BAD); i++) {
        struct err err = {0};
        struct wallet_request request = {.is_spend = BAD[i].is_spend};
        if (wallet_parse(json(t, BAD[i].body), &request, &err))
            fail_msg("%s is taken", BAD[i].body);
        assert_int_equal(err.kind, ERR_INVALID);
        assert_string_equal(err.name, BAD[i].name);
    }
}

static void
a_reason_has_up_to_256_bytes(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct wallet_request request = {.is_spend = true};
    const char *fits =
        arena_printf(&t->arena, "{\"amount\":1000000000000,\"reason\":\"%0256d\"}", 0).p;
    assert_true(wallet_parse(json(t, fits), &request, &err));
    assert_int_equal(request.amount, WALLET_AMOUNT_MAX);
    assert_int_equal(request.reason.n, 256);
    const char *longer = arena_printf(&t->arena, "{\"amount\":1,\"reason\":\"%0257d\"}", 0).p;
    assert_false(wallet_parse(json(t, longer), &request, &err));
    assert_non_null(strstr(err.detail, "256"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        DB_TEST(an_earn_moves_balance_ledger_and_event_together),
        DB_TEST(nobody_spends_what_is_not_there),
        DB_TEST(a_balance_stops_at_two_to_the_53),
        DB_TEST(a_key_gives_one_effect_per_player_and_operation),
        DB_TEST(a_refusal_does_not_use_its_key_up),
        DB_TEST(who_is_gone_has_no_wallet),
        DB_TEST(a_key_is_visible_ascii),
        DB_TEST(the_ledger_lists_the_newest_first),
        DB_TEST(the_ledger_is_append_only),
        DB_TEST(a_body_is_an_amount_and_a_reason),
        DB_TEST(a_reason_has_up_to_256_bytes),
    };
    return cmocka_run_group_tests_name("wallet", tests, NULL, NULL);
}
