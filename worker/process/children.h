/* The processes below the supervisor: starting, restarting those that die, draining.
 *
 *                start            exit, not asked for
 *      FREE ------------> RUNNING --------------------> WAITING (0.1 s doubling to 10 s)
 *       ^                  |   ^-------------------------'
 *       |  exit            | retire
 *       '----- STOPPING <--'      its stop signal every 0.1 s; SIGKILL after the drain time
 *
 * Each child leads a process group of its own: Ctrl-C reaches only the supervisor, which drains
 * in order, and processes that a child leaves behind are signalled with its group. */
#pragma once

#include "role/role.h"

#include <sys/types.h>

/* The roles, nginx, and the child that checks whether the service is ready. */
enum child_kind {
    CHILD_QUERY = ROLE_QUERY,
    CHILD_PLAY = ROLE_PLAY,
    CHILD_WRITER = ROLE_WRITER,
    CHILD_JOBS = ROLE_JOBS,
    CHILD_NGINX,
    CHILD_PROBE
};

enum child_state { CHILD_FREE, CHILD_RUNNING, CHILD_WAITING, CHILD_STOPPING };

struct child {
    enum child_kind kind;
    enum child_state state;
    unsigned index; /* in its pool */
    pid_t pid;      /* RUNNING, STOPPING */
    uint64_t started_us;
    uint64_t next_us;    /* WAITING: when to start; STOPPING: when to signal again */
    uint64_t kill_us;    /* STOPPING: when to send SIGKILL */
    unsigned backoff_ms; /* before the next restart */
};

/* Enough for two generations of the largest pools. */
#define CHILDREN_MAX 1024
#define CHILDREN_DRAIN_US (30 * UINT64_C(1000000))

struct children {
    struct child items[CHILDREN_MAX];
    /* The body of the new process; does not return. */
    void (*become)(void *context, enum child_kind kind, unsigned index);
    void *context;
};

const char *children_name(enum child_kind kind);

/* A fork that fails is treated as a child that died: it is tried again. */
void children_start(struct children *c, enum child_kind kind, unsigned index);
/* Asks all running children of the kind to end, and forgets those that wait for a restart. */
void children_retire(struct children *c, enum child_kind kind);
size_t children_count(const struct children *c, enum child_kind kind, enum child_state state);
bool children_has(const struct children *c, enum child_kind kind); /* in any state but FREE */
/* 0 when none runs. */
pid_t children_pid(const struct children *c, enum child_kind kind);

/* Reaps children that died.  True, with its exit code in `*probe_exit`, when the probe was
 * among them. */
bool children_reap(struct children *c, int *probe_exit);
/* Does the restarts and sends the signals that are due. */
void children_tick(struct children *c);
/* When children_tick next has something to do; UINT64_MAX when nothing is pending. */
uint64_t children_next_us(const struct children *c);
/* SIGKILL to the process groups of all children that run or are stopping. */
void children_kill_all(struct children *c);
