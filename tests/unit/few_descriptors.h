/* Takes a process's file descriptors away for a while. */
#pragma once

#include <sys/resource.h>
#include <unistd.h>

struct few_descriptors {
    struct rlimit before;
};

/* Leaves at most `free_count` of them. */
static inline struct few_descriptors
few_descriptors_begin(unsigned free_count)
{
    struct few_descriptors few;
    int lowest = dup(STDERR_FILENO);
    assert_true(lowest >= 0 && close(lowest) == 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &few.before), 0);
    struct rlimit now = few.before;
    now.rlim_cur = (rlim_t)lowest + free_count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    return few;
}

static inline void
few_descriptors_end(const struct few_descriptors *few)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few->before), 0);
}
