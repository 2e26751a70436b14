/* Index files of a version made again, as a kind of job: enqueued when a check finds some of
 * them damaged.  Of a damaged rows.db it fails with what is to be done, in the list of jobs
 * where people look. */
#pragma once

#include "runner/kind.h"

extern const struct job_kind JOB_REINDEX;
