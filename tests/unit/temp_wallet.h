/* Players with wallets in a temporary database. */
#pragma once

#include "players/wallet.h"
#include "temp_db.h"

#include <string.h>

#define PLAYERS 3

static inline void
add_players(struct temp_db *t)
{
    for (int i = 1; i <= PLAYERS; i++)
        temp_db_exec(t, arena_printf(&t->arena,
                                     "INSERT INTO player (username, username_folded, "
                                     "password_hash, created_at) VALUES ('p%d', 'p%d', 'x', 1)",
                                     i, i)
                            .p);
}

static inline struct wallet_receipt
run_ok(struct temp_db *t, const struct wallet_request *request)
{
    struct err err = {0};
    struct wallet_receipt receipt;
    if (!wallet_run(t->writer, request, &receipt, &err))
        fail_msg("%s: %s", err_code(&err), err.detail);
    return receipt;
}

static inline struct wallet_receipt
earn(struct temp_db *t, int64_t player_id, int64_t amount)
{
    struct wallet_request request = {.player_id = player_id, .amount = amount};
    return run_ok(t, &request);
}

/* The number of faults; the first one's player and entry in `first` unless it is NULL. */
struct wallet_faults {
    size_t count;
    int64_t player_id, entry_id;
    char what[256];
};

static inline void
note_fault(void *context, int64_t player_id, int64_t entry_id, const char *what)
{
    struct wallet_faults *faults = context;
    if (faults->count++ > 0)
        return;
    faults->player_id = player_id;
    faults->entry_id = entry_id;
    snprintf(faults->what, sizeof(faults->what), "%s", what);
}

static inline size_t
verify(struct temp_db *t, struct wallet_faults *first)
{
    struct err err = {0};
    struct wallet_faults faults = {0};
    struct ledger_verdict verdict;
    if (!ledger_verify(t->db, note_fault, &faults, &verdict, &err))
        fail_msg("%s", err.detail);
    assert_int_equal(verdict.broken_count > 0, faults.count > 0);
    assert_int_equal(verdict.entry_count,
                     temp_db_number(t, "SELECT count(*) FROM ledger_entry"));
    assert_int_equal(verdict.player_count, temp_db_number(t, "SELECT count(*) FROM player"));
    if (first)
        *first = faults;
    return faults.count;
}

static inline size_t
verify_sample(struct temp_db *t, uint64_t players, struct ledger_verdict *verdict)
{
    struct err err = {0};
    struct wallet_faults faults = {0};
    if (!ledger_verify_sample(t->db, players, note_fault, &faults, verdict, &err))
        fail_msg("%s", err.detail);
    return faults.count;
}
