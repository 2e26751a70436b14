#include "role/role.h"

#include "base/log.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static const char *const NAMES[] = {
#define X(role, word, comm) [role] = word,
    ROLES(X)
#undef X
};
static const char *const COMMS[] = {
#define X(role, word, comm) [role] = comm,
    ROLES(X)
#undef X
};

static volatile sig_atomic_t is_stopping;

static void
on_sigterm(int signal_number UNUSED)
{
    is_stopping = 1;
}

void
role_handle_signals(void)
{
    struct sigaction on_term = {.sa_handler = on_sigterm};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGTERM, &on_term, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGHUP, &ignore, NULL);
}

bool
role_is_stopping(void)
{
    return is_stopping;
}

const char *
role_name(enum role role)
{
    return NAMES[role];
}

const char *
role_path(struct arena *a, const struct config *config, const char *name)
{
    return arena_printf(a, "%" STR_FMT "/%s", STR_ARG(config->data_dir), name).p;
}

void
role_begin(const struct role_env *env, int supervisor_pid)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The supervisor may have died before prctl took effect. */
    if (getppid() != supervisor_pid)
        _exit(1);
    prctl(PR_SET_NAME, COMMS[env->role]);
    log_set_role(NAMES[env->role]);
    /* Before the signal mask is cleared: a pending SIGTERM must reach the handler, not kill. */
    role_handle_signals();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
