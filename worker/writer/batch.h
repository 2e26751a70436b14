/* One transaction of the writer: all operations that wait, up to a limit, and one commit. */
#pragma once

#include "writer/client.h"

/* A transaction ends once this many rows have changed (one full batch of events), so that no
 * caller waits long for the operations of others. */
#define WRITER_ROWS_MAX 1000

struct writer_task {
    const struct operation *operation;
    struct str request;
    struct buf *out; /* gets one reply frame, valid once writer_batch_run has returned */
    bool is_answered;
    bool is_passed_over; /* by urgent operations: its turn is now; at first false */
};

/* Runs the tasks, urgent operations first, and commits; a large request is not run behind
 * those, but alone in the next transaction.  A task that fails leaves nothing behind, and for
 * that may have to run twice: an operation has no effect but on the database.  Sets is_answered
 * of those that ran; the others wait for the next transaction, and at least one ran.  When
 * COMMIT fails, or SQLite rolls back by itself, every task that ran is refused: disk_full, or
 * busy with code unknown_outcome. */
void writer_batch_run(struct db *db, struct writer_task *tasks, size_t count);
