/* The queue of long work: rows of the jobs table, and the words of SPEC 3.1.
 *
 *   queued --claim--> running --finish--> succeeded / failed / cancelled
 *     |                 |  lease runs out: queued again (attempt + 1)
 *     +----cancel-------+
 *
 * Reads take a db, changes take a writer.  Times are milliseconds UTC. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "store/db.h"
#include "writer/client.h"

/* Lower-case hex, sortable by creation: 12 digits of time, 8 random. */
#define JOB_ID_DIGITS 20
#define JOB_LEASE_MS 10000

/* state, word */
#define JOB_STATES(X)                                                                          \
    X(JOB_QUEUED, "queued")                                                                    \
    X(JOB_RUNNING, "running")                                                                  \
    X(JOB_SUCCEEDED, "succeeded")                                                              \
    X(JOB_FAILED, "failed")                                                                    \
    X(JOB_CANCELLED, "cancelled")
enum job_state {
#define X(state, word) state,
    JOB_STATES(X)
#undef X
};
const char *job_state_name(enum job_state state);

struct job {
    struct str id;
    struct str kind;    /* "import", "report", "reindex" */
    struct str dataset; /* name; "" for none */
    enum job_state state;
    struct str phase; /* of an import: receiving, reading, indexing, publishing; of a report:
                       * reading, writing; "" before */
    struct str label;
    struct str source;     /* what the user gave: file name or URL */
    struct str options;    /* JSON of the kind's own options, as stored at enqueue */
    struct str request_id; /* of the request it came by; "" for none */
    uint64_t bytes_total, bytes_done, rows_done, rows_rejected; /* bytes_total 0: unknown */
    int64_t created_at, started_at, finished_at, heartbeat_at;  /* 0: not yet */
    int64_t phase_at;     /* when the phase began; stale while phase is "" */
    uint64_t phase_bytes; /* bytes_done then */
    uint64_t attempt;
    bool is_cancel_requested;
    struct str error;  /* JSON {code, detail}; "" for none */
    struct str result; /* JSON receipt; "" for none */
};

struct job_progress {
    struct str phase;
    uint64_t bytes_total, bytes_done, rows_done, rows_rejected;
};

/* Told by whoever does the work, as often as it likes; false: it was cancelled, and what is
 * being done ends with this err. */
typedef bool job_progress_fn(void *context, const struct job_progress *progress,
                             struct err *err);

/* Reading.  Strings are copied into the arena. */
MUST_CHECK bool job_get(struct arena *a, struct db *db, struct str id, struct job *out,
                        struct err *err); /* not_found */
struct job_filter {
    struct str dataset, state, kind; /* "" for any */
    struct str before_id;            /* page: ids below this one; "" for the newest */
    uint64_t limit;
};
MUST_CHECK bool job_list(struct arena *a, struct db *db, const struct job_filter *filter,
                         struct job **out, size_t *out_count,
                         struct err *err); /* newest first */

/* Changing.  `id` is made by job_make_id before the source file is put under spool/<id>/. */
void job_make_id(char id[JOB_ID_DIGITS + 1]);
bool job_id_is_valid(struct str id);
MUST_CHECK bool job_enqueue(struct writer *w, const struct job *job, struct err *err);
/* The oldest queued job of the kind that waits for none, or a running one whose lease ran out.
 * A job waits for a running one on its dataset, or, where it has none, of its own kind.  One
 * that ran out of its lease after somebody asked to cancel it is finished instead. 1 claimed, 0
 * none, -1 error. */
MUST_CHECK int job_claim(struct arena *a, struct writer *w, struct str kind, struct job *out,
                         struct err *err);
/* The same for one job only: for the command line, which runs what it enqueued. */
MUST_CHECK int job_claim_one(struct arena *a, struct writer *w, struct str id, struct job *out,
                             struct err *err);
/* Stores progress and renews the lease; tells whether somebody asked to cancel.  conflict with
 * code job_not_running when it is not (no longer) running. */
MUST_CHECK bool job_report_progress(struct writer *w, struct str id,
                                    const struct job_progress *progress,
                                    bool *is_cancel_requested, struct err *err);
/* A queued job is cancelled at once, a running one is asked to stop (the flag that progress
 * tells); asking twice is fine.  not_found, or conflict with code job_finished. */
MUST_CHECK bool job_cancel(struct writer *w, struct str id, struct err *err);
/* Ends a running job, or one that is still queued (a source that cannot be used): not_found, or
 * conflict with code job_finished.  `state` is one of the last three. */
MUST_CHECK bool job_finish(struct writer *w, struct str id, enum job_state state,
                           struct str error_json, struct str result_json, struct err *err);
/* The same inside a transaction that does more, for operations of other folders; options are
 * JSON. */
MUST_CHECK bool job_enqueue_in(struct db *db, const struct job *job, struct err *err);
MUST_CHECK bool job_finish_in(struct db *db, struct str id, enum job_state state,
                              struct str error_json, struct str result_json, struct err *err);
/* {code, detail}: an err as the error of a job, for its client. */
struct str job_error_json(struct arena *a, const struct err *error);
/* Back to the queue at once, for a child that died; cancelled when somebody asked for it.  A
 * job that is not running is left as it is. */
MUST_CHECK bool job_requeue(struct writer *w, struct str id, struct err *err);
/* The same for a job that is given up in good order, by a role that is stopped: its attempt
 * does not count. */
MUST_CHECK bool job_hand_back(struct writer *w, struct str id, struct err *err);

/* The operations of this folder, for the writer's table; ends with a NULL name. */
extern const struct operation JOB_OPERATIONS[];
