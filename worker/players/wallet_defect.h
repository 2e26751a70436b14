/* The defects of the wallet that base/defect.h lists. */
#pragma once

#include "players/ledger.h"

/* balance_from_c: after the balance was moved, sets it to what the last commit left plus the
 * entry's amount. */
MUST_CHECK bool wallet_defect_write_back(struct db *db, struct ledger_entry *entry,
                                         struct err *err);
/* idempotency_apart: commits what was done so far, inside an operation. */
MUST_CHECK bool wallet_defect_commit(struct db *db, struct err *err);
