/* The daily run at `reports.at`, a time of day in UTC.  From that time on, one run for the day
 * before is enqueued, once per day (the day and its job are stored together), even if the
 * service was not running at that minute. */
#pragma once

#include "config/config.h"
#include "jobs/job.h"

struct schedule {        /* zeroed: nothing is known yet */
    int64_t settled_day; /* has its run, so nothing is left to do that day; 0: none */
};
/* 1 enqueued, 0 nothing to do, -1 error (the next call tries again).  Cheap when there is
 * nothing to do, so that it can be called often. */
MUST_CHECK int schedule_tick(struct schedule *schedule, const struct config *config,
                             struct db *db, struct writer *w, int64_t now_ms, struct err *err);
