/* The processes below the supervisor: starting, restarting what dies, draining.
 *
 *                start            exit, not asked for
 *      FREE ------------> RUNNING --------------------> WAITING (0.1 s doubling to 10 s)
 *       ^                  |   ^-------------------------'
 *       |  exit            | retire
 *       '----- STOPPING <--'      its stop signal every 0.1 s; SIGKILL when its time is over
 *
 * Each child leads a process group of its own: Ctrl-C reaches the supervisor alone, which
 * drains in order, and what a child leaves behind goes with its group. */
#pragma once

#include "role/role.h"

#include <sys/types.h>

/* Roles and nginx, and the child that looks whether all is ready. */
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
    uint64_t kill_us;    /* STOPPING: when patience ends */
    unsigned backoff_ms; /* before the next restart */
};

/* Two generations of the largest pools. */
#define CHILDREN_MAX 1024
#define CHILDREN_DRAIN_US (30 * UINT64_C(1000000))

struct children {
    struct child items[CHILDREN_MAX];
    /* Runs in the new process and does not return. */
    void (*become)(void *context, enum child_kind kind, unsigned index);
    void *context;
};

const char *children_name(enum child_kind kind);

/* A fork that fails counts as a child that died: it is tried again. */
void children_start(struct children *c, enum child_kind kind, unsigned index);
/* Asks those of the kind that run now to end; ones that wait for a restart are forgotten. */
void children_retire(struct children *c, enum child_kind kind);
size_t children_count(const struct children *c, enum child_kind kind, enum child_state state);
bool children_has(const struct children *c, enum child_kind kind); /* in any state but FREE */
/* 0 where none runs. */
pid_t children_pid(const struct children *c, enum child_kind kind);

/* Collects who has died.  1 and the kind and exit code when the probe was among them, else 0.
 */
bool children_reap(struct children *c, int *probe_exit);
/* Restarts and signals that are due. */
void children_tick(struct children *c);
/* When children_tick has something to do again; UINT64_MAX when nothing waits. */
uint64_t children_next_us(const struct children *c);
void children_kill_all(struct children *c);
