/* The child inherits a connection to playmeter.db and one to the writer and
 * uses neither: what it needs to know was read before the fork, or it opens a connection of its
 * own. */
#include "runner/child.h"

#include "base/fs.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(struct runner_child_frame) <= 4096,
               "a frame is written in one piece (PIPE_BUF)");

static bool
send_frame(int pipe, const struct runner_child_frame *frame, struct err *err)
{
    return fs_write(pipe, (struct str){(const char *)frame, sizeof(*frame)}, err);
}

static bool
send_progress(void *context, const struct job_progress *progress, struct err *err)
{
    const int *pipe = context;
    struct runner_child_frame frame = {
        .bytes_total = progress->bytes_total,
        .bytes_done = progress->bytes_done,
        .rows_done = progress->rows_done,
        .rows_rejected = progress->rows_rejected,
    };
    snprintf(frame.phase, sizeof(frame.phase), "%" STR_FMT, STR_ARG(progress->phase));
    return send_frame(*pipe, &frame, err);
}

static NORETURN void
be_child(const struct job_step *step, const struct job_work *work, int pipe, pid_t parent)
{
    char name[16]; /* all that the kernel keeps */
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    /* In this order: a parent that died before the first line is noticed by the second. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    snprintf(name, sizeof(name), "pm-%s", step->name);
    prctl(PR_SET_NAME, name);
    log_set_role(step->name);
    /* Reading what a stranger wrote needs no network.  Without the privilege for it the rules
     * of the fetch child are still all there is between the two. */
    if (!step->needs_network && unshare(CLONE_NEWNET) != 0 && errno != EPERM &&
        errno != ENOSYS && errno != EINVAL)
        log_message(LOG_WARN, "child_keeps_network", "unshare failed with errno %d", errno);
    struct arena a = {0};
    struct runner_child_frame frame = {.has_error = true};
    if (step->run(&a, work, send_progress, &pipe, &frame.error))
        _exit(0);
    struct err ignored;
    _exit(send_frame(pipe, &frame, &ignored) ? 1 : 3);
}

bool
runner_child_start(struct runner_child *out, const struct job_step *step,
                   const struct job_work *work, int inherited_fd, struct err *err)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC))
        return err_set_errno(err, "making a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        fs_close(&inherited_fd);
        be_child(step, work, ends[1], parent);
    }
    close(ends[1]);
    if (pid < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK)) {
        close(ends[0]);
        return err_set_errno(err, "starting a process");
    }
    *out = (struct runner_child){pid, ends[0]};
    return true;
}

int
runner_child_wait(struct runner_child *child)
{
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    fs_close(&child->pipe);
    child->pid = 0;
    return status;
}

void
runner_child_tell_end(struct err *err, const char *worker, int status)
{
    if (WIFSIGNALED(status))
        err_set(err, ERR_INTERNAL, "%s was ended by signal %d", worker, WTERMSIG(status));
    else
        err_set(err, ERR_INTERNAL, "%s ended with exit code %d and gave no reason", worker,
                WEXITSTATUS(status));
}

int
runner_child_read(const struct runner_child *child, struct runner_child_frame *out)
{
    ssize_t n = read(child->pipe, out, sizeof(*out));
    if (n == sizeof(*out))
        return 1;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}
