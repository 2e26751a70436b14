/* The jobs role's look at the files of the versions: after each start of the service, and then
 * as often as the settings say, a child reads what is due, version by version, and has the
 * writer store what it finds.  What a finding does is in catalogue/integrity.h. */
#pragma once

#include "runner/child.h"

struct file_check {            /* zeroed: nothing has been looked at */
    struct runner_child child; /* pid 0: none runs */
    struct err error;          /* that the child told */
    uint64_t next_us;          /* before it nothing is due */
};

/* Starts a child when something is due, and takes note of its end. */
void file_check_tick(struct file_check *check, const struct job_host *host);
void file_check_stop(struct file_check *check);
