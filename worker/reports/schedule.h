/* The daily run: `reports.at`, a time of day in UTC.  On each day from that time on one run for
 * the day before is enqueued: once, since the day and its job are stored together, and also
 * when the service was away at the minute itself. */
#pragma once

#include "config/config.h"
#include "jobs/job.h"

struct schedule {        /* zeroed: nothing is known yet */
    int64_t settled_day; /* of this one no more need be asked; 0: none */
};
/* 1 enqueued, 0 there is nothing to do, -1 error (it is tried again at the next call).  Cheap
 * when there is nothing to do: to be called often. */
MUST_CHECK int schedule_tick(struct schedule *schedule, const struct config *config,
                             struct db *db, struct writer *w, int64_t now_ms, struct err *err);
