#include "players/ledger.h"

#include "base/sha256.h"
#include "players/wallet.h"

#include <string.h>

#define ENTRY_NUMBERS 6

void
ledger_chain(const unsigned char before[LEDGER_HASH_BYTES], const struct ledger_entry *entry,
             unsigned char out[LEDGER_HASH_BYTES])
{
    char text[LEDGER_HASH_BYTES + ENTRY_NUMBERS * 8 + WALLET_REASON_BYTES_MAX];
    const int64_t numbers[ENTRY_NUMBERS] = {entry->id,           entry->player_id,
                                            ledger_delta(entry), entry->balance_after,
                                            entry->created_at,   entry->event_id};
    char *p = text;
    memcpy(p, before, LEDGER_HASH_BYTES);
    p += LEDGER_HASH_BYTES;
    for (size_t i = 0; i < ENTRY_NUMBERS; i++)
        for (unsigned bit = 0; bit < 64; bit += 8)
            *p++ = (char)((uint64_t)numbers[i] >> bit);
    assert(entry->reason.n <= WALLET_REASON_BYTES_MAX);
    if (entry->reason.n)
        memcpy(p, entry->reason.p, entry->reason.n);
    sha256_of((struct str){text, (size_t)(p - text) + entry->reason.n}, out);
}

int64_t
ledger_delta(const struct ledger_entry *entry)
{
    return entry->is_spend ? -entry->amount : entry->amount;
}

void
ledger_read(struct stmt *s, struct ledger_entry *out)
{
    *out = (struct ledger_entry){
        .id = stmt_i64(s, 0),
        .player_id = stmt_i64(s, 1),
        .is_spend = stmt_i64(s, 2) != 0,
        .amount = stmt_i64(s, 3),
        .balance_after = stmt_i64(s, 4),
        .reason = stmt_str(s, 5),
        .event_id = stmt_i64(s, 6),
        .created_at = stmt_i64(s, 7),
    };
}

bool
ledger_list(struct arena *a, struct db *db, int64_t player_id, int64_t before_id,
            uint64_t limit, struct ledger_entry **out, size_t *out_count, struct err *err)
{
    struct ledger_entry *entries = arena_array(a, limit, struct ledger_entry);
    size_t count = 0;
    int got;
    scoped_stmt s = db_stmt(db, "ledger_list");
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_i64(s, 2, before_id ? before_id : INT64_MAX);
    stmt_bind_i64(s, 3, (int64_t)limit);
    while ((got = stmt_step(s, err)) == 1) {
        ledger_read(s, &entries[count]);
        entries[count].reason = arena_str(a, entries[count].reason);
        count++;
    }
    if (got < 0)
        return false;
    *out = entries;
    *out_count = count;
    return true;
}

bool
ledger_count(struct db *db, int64_t player_id, int64_t *out, struct err *err)
{
    scoped_stmt s = db_stmt(db, "ledger_count");
    stmt_bind_i64(s, 1, player_id);
    return stmt_run_i64(s, out, err);
}
