/* The defects of the wallet that base/defect.h lists. */
#pragma once

#include "players/ledger.h"

/* balance_from_c: the entry's balance becomes what the last commit left plus its amount. */
MUST_CHECK bool wallet_defect_reckon(struct db *db, struct ledger_entry *entry,
                                     struct err *err);
/* idempotency_apart: commits what was done so far, inside an operation. */
MUST_CHECK bool wallet_defect_commit(struct db *db, struct err *err);
