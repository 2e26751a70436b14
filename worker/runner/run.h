/* One claimed job in the jobs process: which child works on it, how far it is, and how it ends.
 *
 *   FREE -> WORKING (a step, a child) -> WORKING (the next) -> FINISHING -> FREE
 *              |                                               |
 *              '-----------------------------------------------'--> finished, cancelled or
 *                                                                   back in the queue -> FREE
 *
 * Nothing that a kill of this process can lose is kept here: the job is claimed again, starts
 * again, and until it is finished nothing of it counts. */
#pragma once

#include "runner/child.h"

/* Attempts that may die, alone or with the whole role, before the job is given up. */
#define JOB_ATTEMPTS_MAX 5

enum job_run_state { JOB_RUN_FREE, JOB_RUN_WORKING, JOB_RUN_FINISHING };

struct job_run {
    enum job_run_state state;
    struct arena arena; /* all of the job */
    struct job_work work;
    size_t step; /* of the kind's */
    struct job_child child;
    struct job_child_frame last; /* what the child said most recently */
    bool is_cancelled;           /* asked for, and the child was told */
    uint64_t told_us;            /* when the writer heard of it last */
    uint64_t kill_us;            /* when patience with a cancelled child ends */
    uint64_t retry_us;           /* when finishing is tried again */
};

/* Takes over a job of `kind` that was claimed; its strings are in run->arena. */
void job_run_start(struct job_run *run, const struct job_host *host,
                   const struct job_kind *kind, const struct job *job);
/* Whatever is due: reads frames, tells the writer, passes on a cancellation, takes the next
 * step when the child has ended. */
void job_run_tick(struct job_run *run, const struct job_host *host);
/* Ends the child and gives the job back to the queue at once. */
void job_run_stop(struct job_run *run, const struct job_host *host);
