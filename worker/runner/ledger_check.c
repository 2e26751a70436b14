#include "runner/ledger_check.h"

#include "base/fs.h"
#include "base/log.h"
#include "players/ledger.h"

#include <fcntl.h>
#include <unistd.h>

/* With their newest entries, a fifth of a second at the most. */
#define SAMPLE_PLAYERS 200
/* A broken disk breaks many: the first ones tell it. */
#define LOGGED_FAULTS_MAX 10

static void
log_fault(void *context, int64_t player_id, int64_t entry_id, const char *what)
{
    unsigned *logged = context;
    if ((*logged)++ >= LOGGED_FAULTS_MAX)
        return;
    struct log_line line = log_begin(LOG_ERROR, "ledger_fault");
    log_int(&line, "player", player_id);
    log_int(&line, "entry", entry_id);
    log_str(&line, "message", str_from(what));
    log_end(&line);
}

void
ledger_check(struct db *db, const char *mark_path)
{
    struct err err = {0};
    struct ledger_verdict verdict;
    unsigned logged = 0;
    if (!ledger_verify_sample(db, SAMPLE_PLAYERS, log_fault, &logged, &verdict, &err)) {
        log_message(LOG_WARN, "ledger_unchecked", "%s", err.detail);
        return;
    }
    if (verdict.broken_count == 0) {
        unlink(mark_path);
        return;
    }
    log_message(LOG_ERROR, "ledger_broken",
                "of %u players looked at, %u have a ledger that was altered behind the "
                "service's back; `playmeter verify-ledger` lists all of them, then restore a "
                "backup from before",
                (unsigned)verdict.player_count, (unsigned)verdict.broken_count);
    scoped_fd mark = fs_open_at(AT_FDCWD, mark_path, O_RDWR | O_CREAT, &err);
    if (mark < 0)
        log_message(LOG_WARN, "ledger_unmarked", "%s", err.detail);
}
