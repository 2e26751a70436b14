/* Nothing here runs but in the build MODE=defects. */
#include "players/wallet_defect.h"

#include "base/clock.h"
#include "base/defect.h"
#include "players/wallet.h"

bool
wallet_defect_reckon(struct db *db, struct ledger_entry *entry, struct err *err)
{
    int64_t committed;
    scoped_db other = db_open(db_path(db), DB_READ_ONLY, err);
    if (!other || !wallet_balance(other, entry->player_id, &committed, err))
        return false;
    entry->balance_after = MAX(committed + ledger_delta(entry), 0);
    return true;
}

bool
wallet_defect_commit(struct db *db, struct err *err)
{
    struct db_tx tx = {db};
    if (!db_release(db, err) || !db_commit(&tx, err))
        return false;
    clock_sleep_ms(DEFECT_MOMENT_MS);
    return db_begin(db, &tx, err) && db_savepoint(db, err);
}
