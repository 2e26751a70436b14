/* The ledger: every change of a balance.  Entries are never altered (triggers forbid it) and
 * are chained per player, so that a changed, missing or inserted entry is detected.
 *
 *     hash(n) = SHA-256(hash(n-1) || entry n)          hash(0) = 32 zero bytes
 *     entry   = id, player_id, amount (negative for spend), balance_after, created_at,
 *               event_id (int64 each, little-endian), then the reason's bytes
 *
 * player.ledger_hash is the hash of the last entry and ledger_count the number of entries, so
 * that removing entries from the end of a chain is detected too. */
#pragma once

#include "base/arena.h"
#include "store/db.h"

#define LEDGER_HASH_BYTES 32

struct ledger_entry {
    int64_t id, player_id;
    bool is_spend;
    int64_t amount; /* 1 to WALLET_AMOUNT_MAX */
    int64_t balance_after;
    struct str reason; /* "" for none */
    int64_t event_id, created_at;
};
/* What the entry adds to the balance: negative for spend. */
int64_t ledger_delta(const struct ledger_entry *entry);
/* hash(n) of the entry, from hash(n-1) in `before`. */
void ledger_chain(const unsigned char before[LEDGER_HASH_BYTES],
                  const struct ledger_entry *entry, unsigned char out[LEDGER_HASH_BYTES]);

/* Reads the row of a statement that selects id, player_id, whether it is a spend, amount,
 * balance_after, reason, event_id, created_at, and perhaps more; reason is valid as of
 * stmt_str. */
void ledger_read(struct stmt *s, struct ledger_entry *out);

/* The player's entries below `before_id` (0: from the newest), newest first, in the arena. */
MUST_CHECK bool ledger_list(struct arena *a, struct db *db, int64_t player_id,
                            int64_t before_id, uint64_t limit, struct ledger_entry **out,
                            size_t *out_count, struct err *err);

/* How many entries the player has; 0 for a deleted player. */
MUST_CHECK bool ledger_count(struct db *db, int64_t player_id, int64_t *out, struct err *err);

/* Recounting: checks chain, running balance, sum, count, and the player's row. */
struct ledger_verdict {
    uint64_t player_count, entry_count;
    uint64_t broken_count; /* players with a fault; an entry of no player counts as one */
};
/* `entry_id` is 0 when the player's row is at fault; `what` is a clause like "balance_after is
 * 7, but ...".  Each entry is checked against the entry before it as that is stored, so that
 * one fault is reported once. */
typedef void ledger_fault_fn(void *context, int64_t player_id, int64_t entry_id,
                             const char *what);
/* Checks everything, in one snapshot.  The ledger is read once, in the order of its ids, with
 * 64 bytes of memory per player, up to 64 MiB (beyond, it is read once per million players).
 * False only when the database cannot be read; faults are reported one by one.  While this
 * runs, the log of a running service cannot be reset. */
MUST_CHECK bool ledger_verify(struct db *db, ledger_fault_fn *on_fault, void *context,
                              struct ledger_verdict *out, struct err *err);
/* The same for at most `count` players, half of them the newest and the rest at random, and for
 * each the newest LEDGER_SAMPLE_ENTRIES entries. */
#define LEDGER_SAMPLE_ENTRIES 1000
MUST_CHECK bool ledger_verify_sample(struct db *db, uint64_t count, ledger_fault_fn *on_fault,
                                     void *context, struct ledger_verdict *out,
                                     struct err *err);
