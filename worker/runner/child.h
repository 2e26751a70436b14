/* The processes that do the work of a job, so that a crash in a parser or a library costs one
 * attempt of one job.  A child lives no longer than the jobs process that started it.
 *
 *   child --- frames of progress, the last one with the error ---> pipe ---> jobs process
 *   exit code 0: done (what it made is in files), 1: failed, a signal: crashed */
#pragma once

#include "runner/kind.h"

#include <sys/types.h>

/* Every frame has this size, below PIPE_BUF, so that each is written and read whole. */
struct runner_child_frame {
    char phase[16];
    uint64_t bytes_total, bytes_done, rows_done, rows_rejected;
    bool has_error;
    struct err error;
};

struct runner_child {
    pid_t pid;
    int pipe; /* not blocking */
};
/* `inherited_fd` is closed in the child (-1: none). */
MUST_CHECK bool runner_child_start(struct runner_child *out, const struct job_step *step,
                                   const struct job_work *work, int inherited_fd,
                                   struct err *err);
/* Waits for its end, which has begun, and closes the pipe: the status as of waitpid. */
int runner_child_wait(struct runner_child *child);
/* Why a child without a frame that says so failed; `worker`: what it was. */
void runner_child_tell_end(struct err *err, const char *worker, int status);
/* 1 a frame, 0 none at the moment, -1 the child has ended. */
int runner_child_read(const struct runner_child *child, struct runner_child_frame *out);
