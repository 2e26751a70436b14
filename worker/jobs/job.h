/* The queue of long work: rows of the jobs table, under the names that the API uses.
 *
 *   queued --claim--> running --finish--> succeeded / failed / cancelled
 *     |                 |
 *     +----cancel-------+
 *
 * A claim takes a queued job, or a running one whose lease ran out; each adds one to `attempt`.
 * Reads take a db, changes take a writer.  Times are milliseconds UTC. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "store/db.h"
#include "writer/client.h"

/* Lower-case hex that sorts by creation: 12 digits of time (ms), 8 random ones. */
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
    struct str request_id; /* of the HTTP request that enqueued it; "" for none */
    uint64_t bytes_total, bytes_done, rows_done, rows_rejected; /* bytes_total 0: unknown */
    int64_t created_at, started_at, finished_at, heartbeat_at;  /* 0: not yet */
    int64_t phase_at;     /* when the phase began; meaningless while phase is "" */
    uint64_t phase_bytes; /* bytes_done at that time */
    uint64_t attempt;
    bool is_cancel_requested;
    struct str error;  /* JSON {code, detail}; "" for none */
    struct str result; /* JSON receipt; "" for none */
};

/* Of a running job; stored at least twice a second. */
struct job_progress {
    struct str phase;
    uint64_t bytes_total, bytes_done, rows_done, rows_rejected;
};

/* Called by the code that does the work, as often as it likes.  False means that the job was
 * cancelled: the work stops and returns this err. */
typedef bool job_progress_fn(void *context, const struct job_progress *progress,
                             struct err *err);

/* Reading.  Strings are copied into the arena. */
MUST_CHECK bool job_get(struct arena *a, struct db *db, struct str id, struct job *out,
                        struct err *err); /* not_found */
struct job_filter {
    struct str dataset, state, kind; /* "" for any */
    struct str before_id;            /* page: ids below this one; "" from the newest */
    uint64_t limit;
};
MUST_CHECK bool job_list(struct arena *a, struct db *db, const struct job_filter *filter,
                         struct job **out, size_t *out_count,
                         struct err *err); /* newest first */

/* Changing.  The caller makes `id` first, because the source file is put under spool/<id>/. */
void job_make_id(char id[JOB_ID_DIGITS + 1]);
bool job_id_is_valid(struct str id);
/* Stores a queued job, from the fields id, kind, dataset, label, source, options, request_id
 * and bytes_total.  too_large when these exceed a message. */
MUST_CHECK bool job_enqueue(struct writer *w, const struct job *job, struct err *err);
/* Claims the oldest queued job of the kind that need not wait, or a running job whose lease has
 * expired.  A job waits while another runs on its dataset or, when it has no dataset, while
 * another of its kind runs.  A job whose lease expired after its cancellation was requested is
 * not claimed but finished as cancelled.  1 claimed, 0 none, -1 error. */
MUST_CHECK int job_claim(struct arena *a, struct writer *w, struct str kind, struct job *out,
                         struct err *err);
/* The same for one given job: for the command line, which runs what it enqueued. */
MUST_CHECK int job_claim_one(struct arena *a, struct writer *w, struct str id, struct job *out,
                             struct err *err);
/* Stores progress and renews the lease; sets whether cancellation was requested.  conflict with
 * code job_not_running when the job is not, or no longer, running. */
MUST_CHECK bool job_report_progress(struct writer *w, struct str id,
                                    const struct job_progress *progress,
                                    bool *is_cancel_requested, struct err *err);
/* Cancels a queued job at once; a running one is asked to stop by the flag that
 * job_report_progress returns.  Repeating it has no effect.  not_found, or conflict with code
 * job_finished. */
MUST_CHECK bool job_cancel(struct writer *w, struct str id, struct err *err);
/* Ends a running job, or a queued one (whose source cannot be used).  `state` is JOB_SUCCEEDED,
 * JOB_FAILED or JOB_CANCELLED.  not_found, or conflict with code job_finished. */
MUST_CHECK bool job_finish(struct writer *w, struct str id, enum job_state state,
                           struct str error_json, struct str result_json, struct err *err);
/* The same two changes as part of a larger transaction, for operations of other folders;
 * `error_json` and `result_json` are JSON or "". */
MUST_CHECK bool job_enqueue_in(struct db *db, const struct job *job, struct err *err);
MUST_CHECK bool job_finish_in(struct db *db, struct str id, enum job_state state,
                              struct str error_json, struct str result_json, struct err *err);
/* An err as the JSON of a job's error, {code, detail}, which clients see. */
struct str job_error_json(struct arena *a, const struct err *error);
/* Puts a job whose child died back into the queue at once, or finishes it as cancelled when
 * that was requested.  A job that is not running is left as it is. */
MUST_CHECK bool job_requeue(struct writer *w, struct str id, struct err *err);
/* The same for a job that its role gives up because it is being stopped: the attempt is not
 * counted. */
MUST_CHECK bool job_hand_back(struct writer *w, struct str id, struct err *err);

/* The operations of this folder, for the writer's table; the last entry has a NULL name. */
extern const struct operation JOB_OPERATIONS[];
