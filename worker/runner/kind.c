#include "runner/kind.h"

#include "runner/load.h"
#include "runner/reindex.h"
#include "runner/report.h"

const struct job_kind *const JOB_KINDS[] = {
    &JOB_IMPORT,
    &JOB_REPORT,
    &JOB_REINDEX,
};
const size_t JOB_KIND_COUNT = COUNT_OF(JOB_KINDS);
_Static_assert(COUNT_OF(JOB_KINDS) <= JOB_KINDS_MAX, "who keeps something per kind has room");
