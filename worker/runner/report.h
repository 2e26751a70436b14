/* Runs of the reports as a kind of job: one child reads the inputs, computes, and puts the
 * files in place; then one operation stores which there are and ends the job. */
#pragma once

#include "runner/kind.h"

extern const struct job_kind JOB_REPORT;
