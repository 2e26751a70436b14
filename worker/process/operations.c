/* A folder with operations of its own adds its table here. */
#include "process/operations.h"

#include "catalogue/integrity.h"
#include "jobs/job.h"
#include "players/account.h"
#include "players/event.h"
#include "players/event_clock.h"
#include "players/session.h"
#include "players/wallet.h"
#include "reports/archive.h"

const struct operation *const OPERATIONS[] = {
    JOB_OPERATIONS,     DATASET_OPERATIONS,     INTEGRITY_OPERATIONS,
    SESSION_OPERATIONS, ACCOUNT_OPERATIONS,     WALLET_OPERATIONS,
    EVENT_OPERATIONS,   EVENT_CLOCK_OPERATIONS, REPORT_OPERATIONS,
};
const size_t OPERATIONS_COUNT = COUNT_OF(OPERATIONS);
