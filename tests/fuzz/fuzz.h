/* What libFuzzer calls, in front of the one function that each fuzzer is.
 *
 * The input lies in a block of its own, so a byte that is read behind its end is seen.  The
 * arena is the input's.  What does not hold ends the process: assert() stays on in every build.
 */
#pragma once

#include "base/arena.h"

static void fuzz(struct arena *a, struct str input);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    scoped_arena a = {0};
    fuzz(&a, (struct str){(const char *)data, n});
    return 0;
}
