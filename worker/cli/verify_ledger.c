/* It only reads, so a service may run beside it.  Its exit codes are those of diff, so that a
 * script can alert for an altered ledger (1) and not for a folder that does not exist (2). */
#include "cli/verify_ledger.h"

#include "base/clock.h"
#include "cli/options.h"
#include "config/config.h"
#include "players/ledger.h"
#include "process/prepare.h"
#include "role/role.h"

#include <inttypes.h>
#include <stdio.h>

static void
print_fault(void *context UNUSED, int64_t player_id, int64_t entry_id, const char *what)
{
    if (entry_id)
        printf("player %" PRId64 ", entry %" PRId64 ": %s\n", player_id, entry_id, what);
    else
        printf("player %" PRId64 ": %s\n", player_id, what);
}

static bool
run(const char *config_path, const char *data_dir, bool *is_whole, struct err *err)
{
    scoped_arena a = {0};
    struct config config;
    struct ledger_verdict verdict;
    uint64_t begin_us = clock_steady_us();
    if (!prepare_command(&a, config_path, data_dir, &config, err))
        return false;
    scoped_db db = db_open(arena_printf(&a, "%s/" ROLE_DB, data_dir).p, DB_READ_ONLY, err);
    if (!db || !ledger_verify(db, print_fault, NULL, &verdict, err))
        return false;
    printf("%" PRIu64 " players, %" PRIu64 " entries, recounted in %.1f s\n",
           verdict.player_count, verdict.entry_count,
           (double)(clock_steady_us() - begin_us) / 1000000);
    if (verdict.broken_count == 0)
        puts("every balance is the sum of its ledger, and every chain is whole");
    else
        printf("%" PRIu64 " players have faults; restore a backup from before, or find out who "
               "wrote to the database but the service\n",
               verdict.broken_count);
    *is_whole = verdict.broken_count == 0;
    return true;
}

int
cli_verify_ledger(int argc, char **argv)
{
    const char *config, *data;
    struct err err = {0};
    bool is_whole = false;
    if (!options_parse_data(argc, argv, &config, &data))
        return 2;
    if (run(config, data, &is_whole, &err))
        return is_whole ? 0 : 1;
    fprintf(stderr, "playmeter verify-ledger: %s: %s\n", err_code(&err), err.detail);
    return 2;
}
