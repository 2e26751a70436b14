/* Recounting ledgers.
 *
 * A player's state is what the entries so far give: balance, count and hash.  A full check
 * reads the ledger once, in the order of its ids, with the states of all players in memory,
 * because the entries of one player are scattered over it.  A sample reads one player at a
 * time by the index. */
#include "base/random.h"
#include "players/ledger.h"
#include "players/wallet.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many states are in memory at once. */
#define STATES_MAX (UINT64_C(1) << 20)
#define WHAT_BYTES_MAX 256

struct state { /* after the entries read so far */
    int64_t player_id;
    int64_t balance, entry_count;
    unsigned char hash[LEDGER_HASH_BYTES];
    bool is_broken;
    bool is_partial; /* older entries were skipped, so the count cannot be checked */
};

struct verify {
    struct db *db;
    ledger_fault_fn *on_fault;
    void *context;
    struct ledger_verdict verdict;
};

static void PRINTF(4, 5)
    tell(struct verify *v, struct state *state, int64_t entry_id, const char *fmt, ...)
{
    char what[WHAT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, fmt);
    vsnprintf(what, sizeof(what), fmt, arguments);
    va_end(arguments);
    v->verdict.broken_count += !state->is_broken;
    state->is_broken = true;
    v->on_fault(v->context, state->player_id, entry_id, what);
}

static bool
is_hash(struct str bytes, const unsigned char hash[LEDGER_HASH_BYTES])
{
    return str_eq(bytes, (struct str){(const char *)hash, LEDGER_HASH_BYTES});
}

static void
take_hash(struct state *state, struct str bytes)
{
    if (bytes.n == LEDGER_HASH_BYTES)
        memcpy(state->hash, bytes.p, LEDGER_HASH_BYTES);
}

/* Is the entry invalid by itself, whatever comes before it? */
static bool
is_nonsense(struct verify *v, struct state *state, const struct ledger_entry *entry,
            bool is_operation)
{
    if (!is_operation)
        tell(v, state, entry->id, "its operation is neither earn nor spend");
    else if (entry->amount < 1 || entry->amount > WALLET_AMOUNT_MAX)
        tell(v, state, entry->id, "its amount is not from 1 to %" PRId64, WALLET_AMOUNT_MAX);
    else if (entry->reason.n > WALLET_REASON_BYTES_MAX)
        tell(v, state, entry->id, "its reason is longer than %d bytes",
             WALLET_REASON_BYTES_MAX);
    else
        return false;
    return true;
}

static void
check_links(struct verify *v, struct state *state, const struct ledger_entry *entry,
            struct str hash)
{
    int64_t balance;
    unsigned char expected[LEDGER_HASH_BYTES];
    if (__builtin_add_overflow(state->balance, ledger_delta(entry), &balance) ||
        balance != entry->balance_after)
        tell(v, state, entry->id,
             "balance_after is %" PRId64 ", but the balance before it was %" PRId64
             " and its amount is %" PRId64,
             entry->balance_after, state->balance, ledger_delta(entry));
    ledger_chain(state->hash, entry, expected);
    if (!is_hash(hash, expected))
        tell(
            v, state, entry->id,
            "its hash does not fit: it was altered, or an entry before it was taken out or put "
            "in");
}

/* Checks the current row of ledger_entries or ledger_entries_of. */
static void
walk_entry(struct verify *v, struct state *state, struct stmt *s)
{
    struct ledger_entry entry;
    ledger_read(s, &entry);
    struct str hash = stmt_blob(s, 8);
    if (!is_nonsense(v, state, &entry, stmt_i64(s, 9) != 0))
        check_links(v, state, &entry, hash);
    state->balance = entry.balance_after;
    state->entry_count++;
    take_hash(state, hash);
}

/* Checks the current row of ledger_players against the end of the player's chain. */
static void
check_player(struct verify *v, struct state *state, struct stmt *s)
{
    int64_t balance = stmt_i64(s, 1), entry_count = stmt_i64(s, 2);
    v->verdict.player_count++;
    if (balance != state->balance)
        tell(v, state, 0, "the balance is %" PRId64 ", but the ledger gives %" PRId64, balance,
             state->balance);
    if (!state->is_partial && entry_count != state->entry_count)
        tell(v, state, 0,
             "%" PRId64 " entries were written, but the ledger has %" PRId64 " of them",
             entry_count, state->entry_count);
    if (!is_hash(stmt_blob(s, 3), state->hash))
        tell(v, state, 0, "the newest entry is not the one that was written last");
}

/* --- everything --- */

struct states { /* sorted by player */
    struct state *states;
    size_t count;
    int64_t first_id, last_id; /* players whose entries are checked in this pass */
};

static int
compare_states(const void *a, const void *b)
{
    int64_t x = ((const struct state *)a)->player_id, y = ((const struct state *)b)->player_id;
    return (x > y) - (x < y);
}

/* Ids are assigned consecutively, so the place can usually be computed from the first one. */
static struct state *
find_state(const struct states *all, int64_t player_id)
{
    if (all->count == 0 || player_id < all->states[0].player_id)
        return NULL;
    uint64_t place = (uint64_t)player_id - (uint64_t)all->states[0].player_id;
    if (place < all->count && all->states[place].player_id == player_id)
        return &all->states[place];
    struct state key = {.player_id = player_id};
    return bsearch(&key, all->states, all->count, sizeof(key), compare_states);
}

/* Loads the states of the next players after all->last_id, at most STATES_MAX. */
static bool
load_states(struct verify *v, struct states *all, struct err *err)
{
    int got;
    bool is_first = all->count == 0;
    int64_t after = is_first ? INT64_MIN : all->last_id;
    all->count = 0;
    scoped_stmt s = db_stmt(v->db, "ledger_player_ids");
    stmt_bind_i64(s, 1, after);
    stmt_bind_i64(s, 2, (int64_t)STATES_MAX);
    while ((got = stmt_step(s, err)) == 1)
        all->states[all->count++] = (struct state){.player_id = stmt_i64(s, 0)};
    all->first_id = is_first ? INT64_MIN : after + 1;
    all->last_id = all->count == STATES_MAX ? all->states[all->count - 1].player_id : INT64_MAX;
    return got == 0;
}

static bool
walk_entries(struct verify *v, const struct states *all, struct err *err)
{
    int got;
    scoped_stmt s = db_stmt(v->db, "ledger_entries");
    stmt_bind_i64(s, 1, all->first_id);
    stmt_bind_i64(s, 2, all->last_id);
    while ((got = stmt_step(s, err)) == 1) {
        v->verdict.entry_count++;
        struct state nobody = {.player_id = stmt_i64(s, 1)};
        struct state *state = find_state(all, nobody.player_id);
        if (state)
            walk_entry(v, state, s);
        else
            tell(v, &nobody, stmt_i64(s, 0), "it is the entry of a player who does not exist");
    }
    return got == 0;
}

bool
ledger_verify(struct db *db, ledger_fault_fn *on_fault, void *context,
              struct ledger_verdict *out, struct err *err)
{
    struct verify v = {.db = db, .on_fault = on_fault, .context = context};
    scoped_arena a = {0};
    scoped_tx snapshot = {0};
    int64_t player_count;
    if (!db_begin_snapshot(db, &snapshot, err))
        return false;
    scoped_stmt counted = db_stmt(db, "ledger_player_count");
    if (!stmt_run_i64(counted, &player_count, err))
        return false;
    size_t state_count = MIN((uint64_t)player_count, STATES_MAX);
    struct states all = {.states = arena_array(&a, state_count, struct state)};
    do {
        if (!load_states(&v, &all, err) || !walk_entries(&v, &all, err))
            return false;
        int got;
        scoped_stmt s = db_stmt(db, "ledger_players");
        stmt_bind_i64(s, 1, all.first_id);
        stmt_bind_i64(s, 2, all.last_id);
        while ((got = stmt_step(s, err)) == 1)
            check_player(&v, find_state(&all, stmt_i64(s, 0)), s);
        if (got < 0)
            return false;
    } while (all.last_id != INT64_MAX);
    *out = v.verdict;
    return true;
}

/* --- a sample --- */

/* Begins the state before the newest LEDGER_SAMPLE_ENTRIES entries. */
static bool
begin_state(struct verify *v, struct state *state, int64_t *after_id, struct err *err)
{
    scoped_stmt s = db_stmt(v->db, "ledger_entry_before_newest");
    stmt_bind_i64(s, 1, state->player_id);
    stmt_bind_i64(s, 2, LEDGER_SAMPLE_ENTRIES);
    int got = stmt_step(s, err);
    *after_id = got == 1 ? stmt_i64(s, 0) : INT64_MIN;
    if (got != 1)
        return got == 0;
    state->is_partial = true;
    state->balance = stmt_i64(s, 1);
    take_hash(state, stmt_blob(s, 2));
    return true;
}

static bool
walk_newest(struct verify *v, struct state *state, struct err *err)
{
    int64_t after_id;
    int got;
    if (!begin_state(v, state, &after_id, err))
        return false;
    scoped_stmt s = db_stmt(v->db, "ledger_entries_of");
    stmt_bind_i64(s, 1, state->player_id);
    stmt_bind_i64(s, 2, after_id);
    while ((got = stmt_step(s, err)) == 1) {
        v->verdict.entry_count++;
        walk_entry(v, state, s);
    }
    return got == 0;
}

static bool
verify_player(struct verify *v, int64_t player_id, struct err *err)
{
    struct state state = {.player_id = player_id};
    if (!walk_newest(v, &state, err))
        return false;
    scoped_stmt s = db_stmt(v->db, "ledger_players");
    stmt_bind_i64(s, 1, player_id);
    stmt_bind_i64(s, 2, player_id);
    int got = stmt_step(s, err);
    if (got == 1)
        check_player(v, &state, s);
    return got >= 0;
}

/* Checks the newest players; sets the lowest of their ids, 0 when there is none. */
static bool
verify_newest(struct verify *v, uint64_t count, int64_t *lowest_id, struct err *err)
{
    int got;
    *lowest_id = 0;
    scoped_stmt s = db_stmt(v->db, "ledger_newest_player_ids");
    stmt_bind_i64(s, 1, (int64_t)count);
    while ((got = stmt_step(s, err)) == 1) {
        *lowest_id = stmt_i64(s, 0);
        if (!verify_player(v, *lowest_id, err))
            return false;
    }
    return got == 0;
}

bool
ledger_verify_sample(struct db *db, uint64_t count, ledger_fault_fn *on_fault, void *context,
                     struct ledger_verdict *out, struct err *err)
{
    struct verify v = {.db = db, .on_fault = on_fault, .context = context};
    scoped_tx snapshot = {0};
    int64_t lowest_id;
    uint64_t newest = (count + 1) / 2, random;
    if (!db_begin_snapshot(db, &snapshot, err) || !verify_newest(&v, newest, &lowest_id, err))
        return false;
    /* A player after a gap in the ids would be picked more often; but there are no gaps, since
     * players' rows are not removed. */
    for (uint64_t i = newest; lowest_id > 1 && i < count; i++) {
        random_bytes(&random, sizeof(random));
        scoped_stmt s = db_stmt(db, "ledger_player_ids");
        stmt_bind_i64(s, 1, (int64_t)(random % (uint64_t)(lowest_id - 1)));
        stmt_bind_i64(s, 2, 1);
        if (stmt_step(s, err) != 1 || !verify_player(&v, stmt_i64(s, 0), err))
            return false;
    }
    *out = v.verdict;
    return true;
}
