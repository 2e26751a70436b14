/* How everyone else changes playmeter.db: operations sent to the one process that writes it.
 *
 * An operation is a row in a table: its name, the structs that are its argument and its reply,
 * and a function that changes the database inside the transaction that is open, and fills the
 * reply.  A function that fails is undone, alone; the caller gets its err.  It may run twice
 * before it is answered, so it has no effect but on the database; a file that it writes
 * (version.json) may be written again, and does no harm when the operation is undone. */
#pragma once

#include "store/db.h"
#include "writer/codec.h"

struct operation {
    const char *name;
    const struct codec *argument, *reply; /* NULL for none */
    /* `reply` is zeroed; what it points to has to last as long as the arena. */
    bool (*run)(struct arena *a, struct db *db, const void *argument, void *reply,
                struct err *err);
    bool is_urgent; /* run before the others of a batch, and never put off */
};

/* Reads the argument, runs, appends the reply.  What is read and replied is in the arena. */
MUST_CHECK bool writer_operation_run(const struct operation *operation, struct arena *a,
                                     struct db *db, struct str request, struct buf *reply,
                                     struct err *err);

/* Finds an operation in the tables, each of which ends with a NULL name; NULL when none has
 * it. */
const struct operation *writer_operation_find(const struct operation *const *table,
                                              size_t count, struct str name);

struct writer; /* the client; made by writer_open or writer_open_local */

/* Remote: connects to the writer's socket on first use and again after a broken connection, and
 * resends requests that were answered `moved`.  A request that was sent and not answered is not
 * resent: it fails with busy (503) and code unknown_outcome. */
struct writer *writer_open(const char *socket_path);
/* Limits how many of the processes that share `slots_path` wait for the writer at one time.
 * One more is refused as busy after 250 ms, and for the next 5 s at once.  So while the writer
 * is stalled, the other processes serve requests that do not need it. */
MUST_CHECK bool writer_share(struct writer *w, const char *slots_path, unsigned count,
                             struct err *err);
/* Local: for the command line, which holds the writer's lock; each call is one transaction. */
struct writer *writer_open_local(struct db *db, const struct operation *const *table,
                                 size_t count);
void writer_close(struct writer **w);

/* Runs one operation, waits for COMMIT and fills `reply`, whose strings and lists last until
 * the next call.  `argument` and `reply` are the operation's structs, NULL where it has none.
 * False, with `reply` untouched: it was refused (err is the operation's), the writer is away or
 * silent for 10 s (busy), or the argument has over MESSAGE_BYTES_MAX (too_large). */
MUST_CHECK bool writer_call(struct writer *w, const struct operation *operation,
                            const void *argument, void *reply, struct err *err);
