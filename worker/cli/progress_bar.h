/* Shows a job's progress: on a terminal as one line that is redrawn, else as a line per phase.
 */
#pragma once

#include "jobs/job.h"

struct progress_bar {
    bool is_terminal, is_drawn;
    char phase[16]; /* the last one shown */
};

void progress_bar_init(struct progress_bar *bar); /* stderr */
void progress_bar_show(struct progress_bar *bar, const struct job_progress *progress);
void progress_bar_end(struct progress_bar *bar); /* the next output begins a line */
