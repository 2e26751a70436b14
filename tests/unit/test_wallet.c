/* The wallet against a plain model of it: what each request answers, and what is left in the
 * database after it. */
#include "dice.h"
#include "temp_wallet.h"

#include <string.h>

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
    assert_int_equal(temp_db_number(t, "SELECT balance FROM player WHERE id = 2"), 70);
    assert_int_equal(temp_db_number(t, "SELECT event_id FROM ledger_entry"), receipt.event_id);
    assert_int_equal(temp_db_number(t, "SELECT id FROM event"), receipt.event_id);
    assert_int_equal(
        temp_db_number(t, "SELECT count(*) FROM event WHERE json_extract(meta, '$.reason')"
                          " = 'a \"gift\"' AND json_extract(meta, '$.amount') = 70"
                          " AND json_extract(meta, '$.balance') = 70"),
        1);
    assert_int_equal(temp_db_number(t, "SELECT json_extract(meta, '$.ledger_id') FROM event"),
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
a_key_is_printable_ascii(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    char longest[WALLET_KEY_BYTES_MAX + 1];
    memset(longest, '~', sizeof(longest));
    longest[1] = ' ';
    struct wallet_request request = {.player_id = 1, .amount = 5};
    const struct str bad[] = {
        STR("a\tb"), STR("\x7f"), STR("\xc3\xa9"), {longest, sizeof(longest)}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        request.idempotency_key = bad[i];
        assert_refused(t, &request, "bad_parameter");
    }
    request.idempotency_key = (struct str){longest, WALLET_KEY_BYTES_MAX};
    assert_false(run_ok(t, &request).is_replayed);
    assert_true(run_ok(t, &request).is_replayed);
}

static bool
break_off(struct arena *a UNUSED, struct db *db UNUSED, const void *request UNUSED,
          void *receipt UNUSED, struct err *err)
{
    return err_set_code(err, ERR_BUSY, "unknown_outcome", "the writer did not answer");
}

static void
an_unknown_outcome_says_how_to_find_out(void **state)
{
    struct temp_db *t = *state;
    struct err err = {0};
    struct wallet_receipt receipt;
    struct operation breaking[] = {WALLET_OPERATIONS[0], {0}};
    breaking[0].run = break_off;
    const struct operation *const table[] = {breaking};
    struct writer *w = writer_open_local(t->db, table, COUNT_OF(table));
    struct wallet_request request = {.player_id = 1, .amount = 5};
    assert_false(wallet_run(w, &request, &receipt, &err));
    assert_string_equal(err_code(&err), "unknown_outcome");
    assert_non_null(strstr(err.detail, "the writer did not answer; look for it in GET"));
    request.idempotency_key = STR("k");
    assert_false(wallet_run(w, &request, &receipt, &err));
    assert_string_equal(err_code(&err), "unknown_outcome");
    assert_non_null(strstr(err.detail, "repeat it with the same Idempotency-Key"));
    writer_close(&w);
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

/* What all statements have cost so far. */
static int
count_steps(struct temp_db *t)
{
    int steps = 0;
    sqlite3_stmt *s = NULL;
    while ((s = sqlite3_next_stmt(db_handle(t->db), s)))
        steps += sqlite3_stmt_status(s, SQLITE_STMTSTATUS_VM_STEP, false);
    return steps;
}

static int
count_steps_of_page(struct temp_db *t, int64_t before_id)
{
    struct err err = {0};
    struct ledger_entry *entries;
    size_t count;
    int steps = count_steps(t);
    assert_true(ledger_list(&t->arena, t->db, 1, before_id, 10, &entries, &count, &err));
    assert_int_equal(count, 10);
    return count_steps(t) - steps;
}

static void
a_page_deep_in_the_ledger_costs_what_the_first_does(void **state)
{
    struct temp_db *t = *state;
    add_players(t);
    temp_db_exec(t, "WITH RECURSIVE n (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM n"
                    " LIMIT 5000) INSERT INTO ledger_entry SELECT id, 1, 'earn', 1, id, '', id,"
                    " 1, zeroblob(32) FROM n");
    assert_in_range(count_steps_of_page(t, 12), 1, 2 * count_steps_of_page(t, 0));
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
    assert_false(sqlite_exec(db_handle(t->db),
                             "REPLACE INTO ledger_entry SELECT id, player_id, operation, 6, 6,"
                             " reason, event_id, created_at, hash FROM ledger_entry",
                             &err));
    assert_non_null(strstr(err.detail, "append-only"));
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
        {"{}", "amount", false},
        {"{\"reason\":\"x\"}", "amount", false},
        {"{\"amount\":0}", "amount", false},
        {"{\"amount\":-1}", "amount", false},
        {"{\"amount\":1.5}", "amount", false},
        {"{\"amount\":1e-1}", "amount", false},
        {"{\"amount\":1000000000001}", "amount", false},
        {"{\"amount\":9223372036854775808}", "amount", false},
        {"{\"amount\":99999999999999999999999999}", "amount", false},
        {"{\"amount\":\"5\"}", "amount", false},
        {"{\"amount\":true}", "amount", false},
        {"{\"amount\":null}", "amount", false},
        {"{\"amount\":[5]}", "amount", false},
        {"{\"amount\":5,\"reason\":7}", "reason", false},
        {"{\"amount\":5,\"reason\":\"a\\nb\"}", "reason", false},
        {"{\"amount\":5,\"reason\":\"a\\u007f\"}", "reason", false},
        {"{\"amount\":5,\"reason\":\"a\\u0085\"}", "reason", false},
        {"{\"Amount\":5}", "amount", false},
        {"{\"amount\":5}", "reason", true},
        {"{\"amount\":5,\"reason\":null}", "reason", true},
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

/* The model: what a wallet is, without a database. */
#define MODEL_KEYS 6
#define MODEL_FILLED_PLAYER 3 /* has all but its last coins */

struct model_use {
    bool is_used;
    int64_t amount;
    size_t reason;
    struct wallet_receipt receipt;
};
struct model {
    struct temp_db *t;
    int64_t balances[PLAYERS + 1];
    struct model_use uses[PLAYERS + 1][2][MODEL_KEYS];
    int64_t effects;
    const char *outcomes[4]; /* those that have to be met */
};

/* NULL: it takes effect; "replay"; or the code of the refusal. */
static const char *
foresee(const struct model *m, const struct wallet_request *r, size_t reason,
        const struct model_use *use)
{
    if (use && use->is_used)
        return use->amount == r->amount && use->reason == reason ? "replay"
                                                                 : "idempotency_key_reused";
    if (r->is_spend)
        return r->amount > m->balances[r->player_id] ? "insufficient_funds" : NULL;
    return r->amount > WALLET_BALANCE_MAX - m->balances[r->player_id] ? "balance_limit" : NULL;
}

static void
take_step(struct model *m)
{
    static const struct str REASONS[] = {STR_INIT("sword"), STR_INIT("Schwert \xc3\xb6")};
    static const char *const KEYS[MODEL_KEYS] = {"a", "b", "c", "d", "e", "f"};
    static const int64_t AMOUNTS[] = {1, 2, 50, 100, 199254740990, WALLET_AMOUNT_MAX};
    size_t key = dice_below(MODEL_KEYS + 2), reason = dice_below(COUNT_OF(REASONS));
    struct wallet_request r = {.player_id = 1 + (int64_t)dice_below(PLAYERS),
                               .is_spend = dice_below(2),
                               .amount = AMOUNTS[dice_below(COUNT_OF(AMOUNTS))],
                               .reason = REASONS[reason]};
    struct model_use *use = key < MODEL_KEYS ? &m->uses[r.player_id][r.is_spend][key] : NULL;
    if (use)
        r.idempotency_key = str_from(KEYS[key]);
    const char *foreseen = foresee(m, &r, reason, use);
    for (size_t i = 0; i < COUNT_OF(m->outcomes); i++)
        dice_reach(m->outcomes[i], strcmp(m->outcomes[i], foreseen ? foreseen : "effect") == 0);
    if (foreseen && strcmp(foreseen, "replay") != 0) {
        assert_refused(m->t, &r, foreseen);
        return;
    }
    struct wallet_receipt receipt = run_ok(m->t, &r);
    assert_int_equal(receipt.is_replayed, foreseen != NULL);
    if (foreseen) {
        assert_int_equal(receipt.balance, use->receipt.balance);
        assert_int_equal(receipt.ledger_id, use->receipt.ledger_id);
        assert_int_equal(receipt.event_id, use->receipt.event_id);
        return;
    }
    m->effects++;
    m->balances[r.player_id] += r.is_spend ? -r.amount : r.amount;
    assert_int_equal(receipt.balance, m->balances[r.player_id]);
    if (use)
        *use = (struct model_use){true, r.amount, reason, receipt};
}

static void
check_model(struct model *m)
{
    for (int64_t id = 1; id <= PLAYERS; id++) {
        struct err err = {0};
        int64_t balance;
        assert_true(wallet_balance(m->t->db, id, &balance, &err));
        assert_int_equal(balance, m->balances[id]);
    }
    assert_int_equal(temp_db_number(m->t, "SELECT count(*) FROM ledger_entry"), m->effects);
    assert_int_equal(temp_db_number(m->t, "SELECT count(*) FROM event"), m->effects);
    assert_int_equal(verify(m->t, NULL), 0);
}

static void
random_requests_do_what_the_model_does(void **state)
{
    dice_begin(__func__);
    struct temp_db *t = *state;
    add_players(t);
    temp_db_exec(t, "PRAGMA synchronous = OFF");
    for (size_t game = 0; game < dice_rounds(4); game++) {
        struct model m = {
            .t = t,
            .outcomes = {"effect", "replay", "idempotency_key_reused", "insufficient_funds"}};
        temp_db_exec(t, "DROP TRIGGER IF EXISTS ledger_entry_remains; DELETE FROM idempotency;"
                        "DELETE FROM ledger_entry; DELETE FROM event; UPDATE player SET "
                        "balance = 0, ledger_count = 0, ledger_hash = zeroblob(32)");
        for (int step = 0; step < 300; step++) {
            take_step(&m);
            check_model(&m);
        }
    }
    dice_end();
}

static void
random_requests_near_the_limit_do_what_the_model_does(void **state)
{
    dice_begin(__func__);
    struct temp_db *t = *state;
    struct model m = {
        .t = t, .outcomes = {"effect", "replay", "idempotency_key_reused", "balance_limit"}};
    add_players(t);
    temp_db_exec(t, "PRAGMA synchronous = OFF");
    while (m.balances[MODEL_FILLED_PLAYER] + WALLET_AMOUNT_MAX <= WALLET_BALANCE_MAX) {
        m.balances[MODEL_FILLED_PLAYER] += WALLET_AMOUNT_MAX;
        m.effects++;
        assert_int_equal(earn(t, MODEL_FILLED_PLAYER, WALLET_AMOUNT_MAX).balance,
                         m.balances[MODEL_FILLED_PLAYER]);
    }
    for (size_t step = 0; step < dice_rounds(1000); step++)
        take_step(&m);
    check_model(&m);
    dice_end();
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
        DB_TEST(a_key_is_printable_ascii),
        DB_TEST(an_unknown_outcome_says_how_to_find_out),
        DB_TEST(the_ledger_lists_the_newest_first),
        DB_TEST(a_page_deep_in_the_ledger_costs_what_the_first_does),
        DB_TEST(the_ledger_is_append_only),
        DB_TEST(a_body_is_an_amount_and_a_reason),
        DB_TEST(a_reason_has_up_to_256_bytes),
        DB_TEST(random_requests_do_what_the_model_does),
        DB_TEST(random_requests_near_the_limit_do_what_the_model_does),
    };
    return cmocka_run_group_tests_name("wallet", tests, NULL, NULL);
}
