/* Imports as a kind of job: receiving for a URL, then loading, then the publication. */
#pragma once

#include "runner/kind.h"

extern const struct job_kind JOB_IMPORT;
