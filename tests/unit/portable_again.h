/* Kernels are chosen once per process, so the portable ones get a process of their own. */
#pragma once

#include "temp_dir.h"

/* What main() answers: `failed`, or else what the same program answers with those kernels. */
static inline int
portable_again(int failed, char **argv)
{
    if (failed || getenv("PLAYMETER_PORTABLE"))
        return failed;
    setenv("PLAYMETER_PORTABLE", "1", 1);
    execv("/proc/self/exe", argv);
    return 1;
}
