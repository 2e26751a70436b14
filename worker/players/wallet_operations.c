/* What a change of a balance does to the database; run by the writer, inside its transaction.
 *
 * The balance is changed by one UPDATE that is guarded: it adds, and only to the balance that
 * the ledger entry was made for.  That no coin is lost does not rest on the order of anything
 * here. */
#include "players/wallet.h"

#include "base/clock.h"
#include "players/event.h"
#include "json/write.h"

#include <string.h>

/* An escaped reason and three numbers fit. */
#define META_BYTES_MAX (4 * KIB)

/* 1: the key was used for the same request, whose answer is in `out`; 0: it is new; -1: it was
 * used for another request, or error. */
static int
find_key(struct db *db, const struct wallet_request *request, struct wallet_receipt *out,
         struct err *err)
{
    if (request->idempotency_key.n == 0)
        return 0;
    scoped_stmt s = db_stmt(db, "wallet_find_key");
    stmt_bind_i64(s, 1, request->player_id);
    stmt_bind_str(s, 2, str_from(wallet_word(request->is_spend)));
    stmt_bind_str(s, 3, request->idempotency_key);
    int got = stmt_step(s, err);
    if (got != 1)
        return got;
    if (stmt_i64(s, 0) != request->amount || !str_eq(stmt_str(s, 1), request->reason)) {
        err_set_name(err, ERR_INVALID, "idempotency_key_reused", STR("Idempotency-Key"),
                     "the key '%" STR_FMT
                     "' was used before, with another amount or reason; another "
                     "%s needs another key",
                     STR_ARG(request->idempotency_key), wallet_word(request->is_spend));
        return -1;
    }
    *out = (struct wallet_receipt){.balance = stmt_i64(s, 2),
                                   .ledger_id = stmt_i64(s, 3),
                                   .event_id = stmt_i64(s, 4),
                                   .is_replayed = true};
    return 1;
}

static bool
keep_key(struct db *db, const struct wallet_request *request, int64_t ledger_id,
         struct err *err)
{
    if (request->idempotency_key.n == 0)
        return true;
    scoped_stmt s = db_stmt(db, "wallet_keep_key");
    stmt_bind_i64(s, 1, request->player_id);
    stmt_bind_str(s, 2, str_from(wallet_word(request->is_spend)));
    stmt_bind_str(s, 3, request->idempotency_key);
    stmt_bind_i64(s, 4, ledger_id);
    return stmt_run(s, err);
}

/* The player's row before the change. */
struct state {
    int64_t balance;
    unsigned char hash[LEDGER_HASH_BYTES]; /* of the last entry */
};

static bool
read_state(struct db *db, int64_t player_id, struct state *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "wallet_read");
    stmt_bind_i64(s, 1, player_id);
    int got = stmt_step(s, err);
    if (got != 1)
        return got == 0 && wallet_refuse_unknown(player_id, err);
    struct str hash = stmt_blob(s, 1);
    assert(hash.n == LEDGER_HASH_BYTES);
    memcpy(out->hash, hash.p, LEDGER_HASH_BYTES);
    out->balance = stmt_i64(s, 0);
    return true;
}

/* Checked before anything is changed, so that a refusal does not taint the batch. */
static bool
check_balance(const struct state *before, const struct ledger_entry *entry, struct err *err)
{
    if (entry->balance_after >= 0 && entry->balance_after <= WALLET_BALANCE_MAX)
        return true;
    if (entry->is_spend)
        return err_set_code(err, ERR_CONFLICT, "insufficient_funds",
                            "the balance of %lld does not cover the amount of %lld",
                            (long long)before->balance, (long long)entry->amount);
    return err_set_code(err, ERR_CONFLICT, "balance_limit",
                        "a balance is at most %lld: that of %lld has no room for the amount of "
                        "%lld",
                        (long long)WALLET_BALANCE_MAX, (long long)before->balance,
                        (long long)entry->amount);
}

static bool
add_event(struct db *db, struct ledger_entry *entry, struct err *err)
{
    scoped_buf meta;
    buf_init(&meta, META_BYTES_MAX);
    struct json j = json_write(&meta);
    json_begin_object(&j);
    json_member_i64(&j, "amount", entry->amount);
    json_member_i64(&j, "balance", entry->balance_after);
    json_member_i64(&j, "ledger_id", entry->id);
    json_member_str_or_null(&j, "reason", entry->reason);
    json_end_object(&j);
    struct event_new event = {.type = str_from(entry->is_spend ? EVENT_SPEND : EVENT_EARN),
                              .meta = buf_str(&meta)};
    return event_add_in(db, entry->player_id, &event, entry->created_at, &entry->event_id, err);
}

static bool
insert_entry(struct db *db, const struct ledger_entry *entry, struct str hash, struct err *err)
{
    scoped_stmt s = db_stmt(db, "ledger_insert");
    stmt_bind_i64(s, 1, entry->id);
    stmt_bind_i64(s, 2, entry->player_id);
    stmt_bind_str(s, 3, str_from(wallet_word(entry->is_spend)));
    stmt_bind_i64(s, 4, entry->amount);
    stmt_bind_i64(s, 5, entry->balance_after);
    stmt_bind_str(s, 6, entry->reason);
    stmt_bind_i64(s, 7, entry->event_id);
    stmt_bind_i64(s, 8, entry->created_at);
    stmt_bind_blob(s, 9, hash);
    return stmt_run(s, err);
}

static bool
move_balance(struct db *db, const struct state *before, const struct ledger_entry *entry,
             struct str hash, struct err *err)
{
    int64_t changes = db_total_changes(db);
    scoped_stmt s = db_stmt(db, "wallet_move");
    stmt_bind_i64(s, 1, entry->player_id);
    stmt_bind_i64(s, 2, entry->balance_after - before->balance);
    stmt_bind_i64(s, 3, entry->balance_after);
    stmt_bind_blob(s, 4, hash);
    if (!stmt_run(s, err))
        return false;
    return db_total_changes(db) > changes ||
           err_set(err, ERR_INTERNAL, "the balance of player %lld is not %lld any more",
                   (long long)entry->player_id, (long long)before->balance);
}

static bool
change(struct db *db, const struct wallet_request *request, struct wallet_receipt *out,
       struct err *err)
{
    struct state before;
    struct ledger_entry entry = {.player_id = request->player_id,
                                 .is_spend = request->is_spend,
                                 .amount = request->amount,
                                 .reason = request->reason,
                                 .created_at = clock_now_ms()};
    int found = find_key(db, request, out, err);
    if (found != 0)
        return found == 1;
    if (!read_state(db, entry.player_id, &before, err))
        return false;
    /* Neither overflows: balances and amounts are far below 2^62. */
    entry.balance_after = before.balance + ledger_delta(&entry);
    if (!check_balance(&before, &entry, err))
        return false;
    scoped_stmt next_id = db_stmt(db, "ledger_next_id");
    if (!stmt_run_i64(next_id, &entry.id, err) || !add_event(db, &entry, err))
        return false;
    unsigned char bytes[LEDGER_HASH_BYTES];
    ledger_chain(before.hash, &entry, bytes);
    struct str hash = {(const char *)bytes, sizeof(bytes)};
    if (!insert_entry(db, &entry, hash, err) || !move_balance(db, &before, &entry, hash, err) ||
        !keep_key(db, request, entry.id, err))
        return false;
    *out = (struct wallet_receipt){
        .balance = entry.balance_after, .ledger_id = entry.id, .event_id = entry.event_id};
    return true;
}

static bool
run_change(struct arena *a UNUSED, struct db *db, const void *argument, void *reply,
           struct err *err)
{
    const struct wallet_request *request = argument;
    if (request->amount < 1 || request->amount > WALLET_AMOUNT_MAX ||
        request->reason.n > WALLET_REASON_BYTES_MAX)
        return err_set(err, ERR_INTERNAL, "an amount of %lld with a reason of %zu bytes",
                       (long long)request->amount, request->reason.n);
    return change(db, request, reply, err);
}

/* Earn and spend are one operation; is_spend says which. */
static const struct codec REQUEST = CODEC(
    struct wallet_request, CODEC_FIELD(struct wallet_request, player_id),
    CODEC_FIELD(struct wallet_request, is_spend), CODEC_FIELD(struct wallet_request, amount),
    CODEC_FIELD(struct wallet_request, reason),
    CODEC_FIELD(struct wallet_request, idempotency_key));
static const struct codec RECEIPT = CODEC(
    struct wallet_receipt, CODEC_FIELD(struct wallet_receipt, balance),
    CODEC_FIELD(struct wallet_receipt, ledger_id), CODEC_FIELD(struct wallet_receipt, event_id),
    CODEC_FIELD(struct wallet_receipt, is_replayed));

const struct operation WALLET_OPERATIONS[] = {
    {.name = WALLET_OPERATION,
     .argument = &REQUEST,
     .reply = &RECEIPT,
     .run = run_change,
     .is_urgent = true},
    {0},
};
