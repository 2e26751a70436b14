/* What every file may assume: the compiler's attributes under the names the code uses, and the
 * handful of macros that C lacks.  Nothing here allocates or fails. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller has to look at the result: a dropped error is a compile error. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

/* Runs `fn(&variable)` when the variable leaves its scope, on every path out of it. */
#define SCOPED(fn) __attribute__((cleanup(fn)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
