/* The ledger: every change of a balance, never altered (triggers), chained per player so that
 * an entry that is changed, missing or put in shows.
 *
 *     hash(n) = SHA-256(hash(n-1) || entry n)          hash(0) = 32 zero bytes
 *     entry   = id, player_id, amount (negative for spend), balance_after, created_at,
 *               event_id (int64 each, little-endian), then the reason's bytes
 *
 * player.ledger_hash is that of the last entry and ledger_count their number, so that the end
 * of a chain cannot be cut off unseen either. */
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
void ledger_chain(const unsigned char before[LEDGER_HASH_BYTES],
                  const struct ledger_entry *entry, unsigned char out[LEDGER_HASH_BYTES]);

/* The row of a statement that selects id, player_id, whether it is a spend, amount,
 * balance_after, reason, event_id, created_at, and perhaps more; reason as stmt_str. */
void ledger_read(struct stmt *s, struct ledger_entry *out);

/* Own entries below `before_id` (0: from the newest), newest first, in the arena. */
MUST_CHECK bool ledger_list(struct arena *a, struct db *db, int64_t player_id,
                            int64_t before_id, uint64_t limit, struct ledger_entry **out,
                            size_t *out_count, struct err *err);

/* How many entries the player has; 0 for one who is gone. */
MUST_CHECK bool ledger_count(struct db *db, int64_t player_id, int64_t *out, struct err *err);

/* Recounts players: chain, running balance, sum, count, and what the player's row holds. */
struct ledger_verdict {
    uint64_t player_count, entry_count;
    uint64_t broken_count; /* players with a fault; entries of nobody count one each */
};
/* `entry_id` is 0 where the player's row is at fault; `what` is a clause like "balance_after is
 * 7, but ...".  An entry is measured against the one before it as that stands there, so that
 * one fault is told once. */
typedef void ledger_fault_fn(void *context, int64_t player_id, int64_t entry_id,
                             const char *what);
/* Everything, in one snapshot: the ledger is read once, in the order it was written, with 64
 * bytes of memory for each player up to 64 MiB (beyond, it is read once per million players).
 * False only when the database cannot be read; faults are told one by one.  While it reads, the
 * log of a running service cannot shrink. */
MUST_CHECK bool ledger_verify(struct db *db, ledger_fault_fn *on_fault, void *context,
                              struct ledger_verdict *out, struct err *err);
/* The same for `count` players at most, half of them the newest and the rest at random, and of
 * each the newest LEDGER_SAMPLE_ENTRIES. */
#define LEDGER_SAMPLE_ENTRIES 1000
MUST_CHECK bool ledger_verify_sample(struct db *db, uint64_t count, ledger_fault_fn *on_fault,
                                     void *context, struct ledger_verdict *out,
                                     struct err *err);
