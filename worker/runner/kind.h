/* The kinds of jobs: one row of a table and one file each.  What every job has in common (its
 * lease, its children, cancelling, attempts) is in claim.h and child.h and knows no kind.
 *
 *   prepare (jobs process) -> step, step ... (a child each) -> finish (jobs process) */
#pragma once

#include "config/config.h"
#include "jobs/job.h"

struct job_host { /* what the jobs share */
    const struct config *config;
    struct db *db; /* read-only */
    struct writer *writer;
    int lock_fd; /* not for children */
};

struct job_kind;
struct job_work { /* a job that was prepared; all of it in the job's arena */
    const struct job_kind *kind;
    const struct config *config;
    struct job job;
    uint64_t bytes_total; /* of what it reads, for the first look at it; 0: unknown */
    void *own;            /* the kind's */
};

struct job_step {            /* done by a child, without the network unless it says so */
    const char *name;        /* of the child: its role in the log, "pm-NAME" among processes */
    const char *first_phase; /* until the child says something */
    bool needs_network;
    bool (*is_needed)(const struct job_work *work); /* NULL: always */
    /* What it makes is in files when it returns; the process ends then. */
    bool (*run)(struct arena *a, const struct job_work *work, job_progress_fn *on_progress,
                void *context, struct err *err);
};
#define JOB_STEPS_MAX 2

struct job_kind {
    const char *name;       /* as in the table of jobs */
    const char *worker;     /* who it is that crashed, for people: "the importer" */
    const char *crash_code; /* of the error, when the attempts are used up */
    struct job_step steps[JOB_STEPS_MAX];         /* up to one without a name */
    size_t (*slots)(const struct config *config); /* jobs of the kind that run at once */
    /* Looks up what the steps need and gives bytes_total and own; the rest is filled. */
    bool (*prepare)(struct arena *a, const struct job_host *host, struct job_work *work,
                    struct err *err);
    /* One operation that makes what the steps left count and ends the job.  `starts_again`:
     * what went wrong is mended by doing the steps again. */
    bool (*finish)(struct arena *a, const struct job_host *host, const struct job_work *work,
                   bool *starts_again, struct err *err);
    /* Removes what the steps of a prepared job left; NULL: nothing. */
    bool (*clean)(struct arena *a, const struct job_work *work, struct err *err);
    /* Gives disk back that a job which found it too full holds, prepared or not; NULL: it holds
     * none. */
    bool (*remove_source)(struct arena *a, const struct job_work *work, struct err *err);
};

extern const struct job_kind *const JOB_KINDS[];
extern const size_t JOB_KIND_COUNT;
#define JOB_KINDS_MAX 4
