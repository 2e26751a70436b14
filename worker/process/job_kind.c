/* See job_kind.h. */
#include "process/job_kind.h"

#include "process/job_import.h"
#include "process/job_reindex.h"
#include "process/job_report.h"

const struct job_kind *const JOB_KINDS[] = {
    &JOB_IMPORT,
    &JOB_REPORT,
    &JOB_REINDEX,
};
const size_t JOB_KIND_COUNT = COUNT_OF(JOB_KINDS);
_Static_assert(COUNT_OF(JOB_KINDS) <= JOB_KINDS_MAX, "who keeps something per kind has room");
