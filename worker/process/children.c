/* A slot is found by scanning the array: that happens a few times a second, and the array holds
 * under a hundred children. */
#include "process/children.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 10000
/* A child that lived this long did not fail at its start, so its backoff is reset. */
#define LIVED_US (10 * UINT64_C(1000000))
/* A signal that arrives just before a blocking accept is lost, so it is sent again. */
#define SIGNAL_AGAIN_US UINT64_C(100000)

const char *
children_name(enum child_kind kind)
{
    return kind == CHILD_NGINX   ? "nginx"
           : kind == CHILD_PROBE ? "probe"
                                 : role_name((enum role)kind);
}

static void
wait_for_restart(struct child *child)
{
    bool has_lived = clock_steady_us() - child->started_us > LIVED_US;
    child->backoff_ms = has_lived || child->backoff_ms == 0
                            ? BACKOFF_FIRST_MS
                            : MIN(child->backoff_ms * 2, BACKOFF_MAX_MS);
    child->state = CHILD_WAITING;
    child->next_us = clock_steady_us() + child->backoff_ms * UINT64_C(1000);
}

static void
start(struct children *c, struct child *child)
{
    child->started_us = clock_steady_us();
    child->pid = fork();
    if (child->pid == 0) {
        setpgid(0, 0);
        c->become(c->context, child->kind, child->index);
        _exit(1);
    }
    if (child->pid < 0) {
        log_message(LOG_ERROR, "fork_failed", "%s: %s", children_name(child->kind),
                    strerror(errno));
        wait_for_restart(child);
        return;
    }
    /* In parent and child, so that the group exists whichever of them runs first. */
    setpgid(child->pid, child->pid);
    child->state = CHILD_RUNNING;
}

void
children_start(struct children *c, enum child_kind kind, unsigned index)
{
    struct child *child = c->items;
    while (child < c->items + CHILDREN_MAX && child->state != CHILD_FREE)
        child++;
    assert(child < c->items + CHILDREN_MAX); /* no more than two generations have */
    *child = (struct child){.kind = kind, .index = index};
    start(c, child);
}

void
children_retire(struct children *c, enum child_kind kind)
{
    uint64_t now = clock_steady_us();
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &c->items[i];
        if (child->kind != kind)
            continue;
        if (child->state == CHILD_WAITING)
            child->state = CHILD_FREE;
        if (child->state != CHILD_RUNNING)
            continue;
        child->state = CHILD_STOPPING;
        child->next_us = now;
        child->kill_us = now + CHILDREN_DRAIN_US;
    }
}

size_t
children_count(const struct children *c, enum child_kind kind, enum child_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        count += c->items[i].kind == kind && c->items[i].state == state;
    return count;
}

bool
children_has(const struct children *c, enum child_kind kind)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (c->items[i].kind == kind && c->items[i].state != CHILD_FREE)
            return true;
    return false;
}

pid_t
children_pid(const struct children *c, enum child_kind kind)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (c->items[i].kind == kind && c->items[i].state == CHILD_RUNNING)
            return c->items[i].pid;
    return 0;
}

static struct child *
find_pid(struct children *c, pid_t pid)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &c->items[i];
        if ((child->state == CHILD_RUNNING || child->state == CHILD_STOPPING) &&
            child->pid == pid)
            return child;
    }
    return NULL;
}

bool
children_reap(struct children *c, int *probe_exit)
{
    bool is_probe = false;
    siginfo_t info = {0};
    /* Before it is reaped: until then its pid, and so its group's id, cannot be reused. */
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
        struct child *child = find_pid(c, info.si_pid);
        /* What its group still holds: workers of nginx finish what they have, for their master
         * is gone and nobody else would ask them to; children of jobs have lost their
         * parent. */
        if (child)
            kill(-child->pid, child->kind == CHILD_NGINX ? SIGQUIT : SIGKILL);
        waitpid(info.si_pid, NULL, 0);
        if (child && child->kind == CHILD_PROBE) {
            *probe_exit = info.si_code == CLD_EXITED ? info.si_status : -1;
            is_probe = child->state == CHILD_RUNNING;
            child->state = CHILD_FREE;
        } else if (child && child->state == CHILD_RUNNING) {
            wait_for_restart(child);
            struct log_line line = log_begin(LOG_ERROR, "child_died");
            log_str(&line, "child", str_from(children_name(child->kind)));
            log_int(&line, "child_pid", child->pid);
            log_int(&line, info.si_code != CLD_EXITED ? "signal" : "exit_code", info.si_status);
            log_int(&line, "restart_in_ms", child->backoff_ms);
            log_end(&line);
        } else if (child) {
            child->state = CHILD_FREE;
        }
        info = (siginfo_t){0};
    }
    return is_probe;
}

static void
signal_again(struct child *child, uint64_t now)
{
    if (now < child->kill_us) {
        /* nginx ends gracefully on SIGQUIT, at once on SIGTERM. */
        kill(child->pid, child->kind == CHILD_NGINX   ? SIGQUIT
                         : child->kind == CHILD_PROBE ? SIGKILL
                                                      : SIGTERM);
        child->next_us = now + SIGNAL_AGAIN_US;
        return;
    }
    log_message(LOG_ERROR, "child_killed", "%s (pid %d) did not end in time",
                children_name(child->kind), (int)child->pid);
    kill(-child->pid, SIGKILL);
    child->next_us = now + CHILDREN_DRAIN_US;
}

void
children_tick(struct children *c)
{
    uint64_t now = clock_steady_us();
    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        struct child *child = &c->items[i];
        if (child->state == CHILD_WAITING && child->next_us <= now)
            start(c, child);
        else if (child->state == CHILD_STOPPING && child->next_us <= now)
            signal_again(child, now);
    }
}

uint64_t
children_next_us(const struct children *c)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (c->items[i].state == CHILD_WAITING || c->items[i].state == CHILD_STOPPING)
            next = MIN(next, c->items[i].next_us);
    return next;
}

void
children_kill_all(struct children *c)
{
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        if (c->items[i].state == CHILD_RUNNING || c->items[i].state == CHILD_STOPPING)
            kill(-c->items[i].pid, SIGKILL);
}
