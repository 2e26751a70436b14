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

enum claim_state { CLAIM_FREE, CLAIM_WORKING, CLAIM_FINISHING };

struct claim {
    enum claim_state state;
    struct arena arena; /* all of the job */
    struct job_work work;
    size_t step; /* of the kind's */
    struct runner_child child;
    struct runner_child_frame last; /* what the child said most recently */
    bool is_cancelled;              /* asked for, and the child was told */
    uint64_t told_us;               /* when the writer heard of it last */
    uint64_t kill_us;               /* when patience with a cancelled child ends */
    uint64_t retry_us;              /* when finishing is tried again */
};

/* Takes over a job of `kind` that was claimed; its strings are in claim->arena. */
void claim_start(struct claim *claim, const struct job_host *host, const struct job_kind *kind,
                 const struct job *job);
/* Whatever is due: reads frames, tells the writer, passes on a cancellation, takes the next
 * step when the child has ended. */
void claim_tick(struct claim *claim, const struct job_host *host);
/* Ends the child and gives the job back to the queue at once. */
void claim_stop(struct claim *claim, const struct job_host *host);
